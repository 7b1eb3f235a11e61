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

# Which crate may depend on which
layers:
    ./scripts/layers

# Format all code
fmt:
    cargo fmt --all

# Benchmarks of the pure parts
bench:
    cargo bench --workspace --locked

# Write API.md anew from the routes
api-docs:
    ./scripts/api-docs

# What is wrong with this installation
doctor:
    cargo run --quiet --locked -- doctor
