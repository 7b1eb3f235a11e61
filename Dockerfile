# Tarsify in one image: `docker build -t tarsify .`
# The image runs in production mode: it keeps nothing of its own, works with a read-only root, and needs DATABASE_URL,
# FIREBASE_USERS_PROJECT_ID and FIREBASE_DEVS_PROJECT_ID. `docker run --rm tarsify config` says what else is missing.

FROM rust:1.95-slim-bookworm AS manifests
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY crates crates
# Of our own crates only what says what they depend on. What comes next is made of that and nothing else, so its layer is
# kept until a dependency changes. `missing_docs` wants the comment.
RUN find crates -type f -not -name Cargo.toml -not -path '*/src/lib.rs' -not -path '*/src/main.rs' \
        -not -path '*/benches/*.rs' -not -name build.rs -delete \
    && find crates -type f -name '*.rs' -exec sh -c \
        'for file; do printf "//! Stands in for the source.\nfn main() { }\n" >"$file"; done' sh {} +

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
# Symbols stay, so that a backtrace names functions; line tables would only make the image larger.
ENV CARGO_PROFILE_RELEASE_DEBUG=0
COPY --from=manifests /build .
# What was built of ours is forgotten: sources may be older than this layer, and cargo goes by the time.
RUN cargo build --release --locked --package tarsify-server \
    && rm -rf target/release/.fingerprint/tarsify-*
COPY . .
# A stand-in would say nothing.
RUN cargo build --release --locked --package tarsify-server \
    && test -n "$(target/release/tarsify --version)"

# Only the C library, libgcc and the certificates of the known authorities, which is all that the binary needs: a quarter of
# a Debian without programs, and no shell for whoever breaks in. `docker debug`, or an ephemeral container, brings one.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Tarsify" \
    org.opencontainers.image.description="The open backend of a marketplace for AI models" \
    org.opencontainers.image.licenses="MIT OR Apache-2.0" \
    org.opencontainers.image.version="$VERSION" \
    org.opencontainers.image.revision="$REVISION"
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/tarsify/
COPY --from=build /build/target/release/tarsify /usr/local/bin/tarsify
USER 65532:65532
ENV TARSIFY_ENV=production
EXPOSE 8080
STOPSIGNAL SIGTERM
# No HEALTHCHECK: there is nothing in the image to call it with. Ask /livez and /readyz from outside.
ENTRYPOINT ["/usr/local/bin/tarsify"]
CMD ["serve"]
