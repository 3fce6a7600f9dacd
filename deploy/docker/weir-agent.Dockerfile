# syntax=docker/dockerfile:1
# docker build -f deploy/docker/weir-agent.Dockerfile --build-arg VERSION=v0.1.0 -t weir-agent:v0.1.0 .
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY proto ./proto
COPY dataplane ./dataplane
ARG VERSION=""
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -buildvcs=false \
      -ldflags "-s -w -X github.com/weirhq/weir/dataplane.release=${VERSION}" \
      -o /out/weir-agent ./dataplane/cmd/weir-agent
# A new volume takes owner and mode of the folder that it covers.
RUN install -d -m 0700 /out/state

FROM gcr.io/distroless/static-debian12:nonroot
ARG VERSION=""
LABEL org.opencontainers.image.title="weir-agent" \
      org.opencontainers.image.description="The agent of Weir: applications call it, and it calls the providers." \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/weir-agent /usr/bin/weir-agent
COPY --from=build --chown=65532:65532 /out/state /var/lib/weir-agent
USER 65532:65532
ENV WEIR_LISTEN=0.0.0.0:8090 \
    WEIR_ADMIN_LISTEN=0.0.0.0:8091 \
    WEIR_STATE_DIR=/var/lib/weir-agent
VOLUME ["/var/lib/weir-agent"]
EXPOSE 8090 8091
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s CMD ["/usr/bin/weir-agent", "healthy"]
ENTRYPOINT ["/usr/bin/weir-agent"]
