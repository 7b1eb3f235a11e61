# `just` lists these; each is one command that works without just too.

[private]
default:
    @just --list

# Install what lacks, build, and run a market full of examples
demo *arguments:
    ./scripts/demo {{ arguments }}

# Everything that CI checks
test:
    ./scripts/test

# A million runs through every fault; with a seed, that one again
simulate *seed:
    ./scripts/simulate {{ seed }}

# Random crashes, races and refusals, for minutes
endurance *names:
    ./scripts/endurance {{ names }}

# Everything goes wrong at once, so many times
chaos *rounds:
    ./scripts/chaos {{ rounds }}

# Backs a database up that is in use, and restores it elsewhere
rehearse-restore:
    ./scripts/rehearse-restore

# Which crate may depend on which
layers:
    ./scripts/layers

# Format all code
fmt:
    cargo fmt --all

# How fast it is beside what this machine can do at all
bench *seconds:
    ./scripts/bench {{ seconds }}

# Whether memory grows in so many minutes
soak *minutes:
    ./scripts/soak {{ minutes }}

# Benchmarks of the pure parts
bench-pure:
    cargo bench --workspace --locked

# Write API.md anew from the routes
api-docs:
    ./scripts/api-docs

# What is wrong with this installation
doctor:
    cargo run --quiet --locked -- doctor
