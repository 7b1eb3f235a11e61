# Tarsify in one image: `docker build -t tarsify .`
# The image runs in production mode: it keeps nothing of its own, and needs DATABASE_URL, FIREBASE_USERS_PROJECT_ID and
# FIREBASE_DEVS_PROJECT_ID. `docker run --rm tarsify config` says what else is missing.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY . .
# Symbols stay, so that a backtrace names functions; line tables would only make the image larger.
ENV CARGO_PROFILE_RELEASE_DEBUG=0
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --package tarsify-server \
    && cp target/release/tarsify /tarsify

FROM debian:bookworm-slim
# The certificates of the known authorities, for the keys that ID tokens are checked with.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /tarsify /usr/local/bin/tarsify
USER 65532:65532
ENV TARSIFY_ENV=production
EXPOSE 8080
# No HEALTHCHECK: there is nothing in the image to call it with. Ask /livez and /readyz from outside.
ENTRYPOINT ["tarsify"]
CMD ["serve"]
