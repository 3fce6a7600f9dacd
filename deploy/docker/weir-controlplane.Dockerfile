# syntax=docker/dockerfile:1
# docker build -f deploy/docker/weir-controlplane.Dockerfile --build-arg VERSION=v0.1.0 -t weir-controlplane:v0.1.0 .
FROM node:22-bookworm-slim AS console
WORKDIR /src/web
COPY web/package.json web/package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund
COPY web ./
RUN npx --no vite build --logLevel warn

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY proto ./proto
COPY migrations ./migrations
COPY controlplane ./controlplane
COPY web/*.go ./web/
COPY --from=console /src/web/dist ./web/dist
ARG VERSION=""
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false \
      -ldflags "-s -w -X github.com/weirhq/weir/controlplane.release=${VERSION}" \
      -o /out/weir-controlplane ./controlplane/cmd/weir-controlplane
# A new volume takes owner and mode of the folder that it covers.
RUN install -d -m 0700 /out/state

FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=""
LABEL org.opencontainers.image.title="weir-controlplane" \
      org.opencontainers.image.description="The control plane of Weir: configuration, policy, usage and the console." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/weir-controlplane /usr/bin/weir-controlplane
COPY --from=build --chown=65532:65532 /out/state /var/lib/weir
USER 65532:65532
ENV WEIR_LISTEN=0.0.0.0:8080 \
    WEIR_ADMIN_LISTEN=0.0.0.0:8081
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["/usr/bin/weir-controlplane", "healthy"]
ENTRYPOINT ["/usr/bin/weir-controlplane"]
