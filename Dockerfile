# Builds the manager. Other base images, such as those of a mirror, can be given with --build-arg.
ARG BASE_IMAGE=golang:1.26
ARG FINAL_IMAGE=gcr.io/distroless/static:nonroot

FROM ${BASE_IMAGE} AS builder
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
WORKDIR /workspace

# The modules have a layer of their own, which stays as long as they do.
COPY go.mod go.sum ./
RUN go mod download

COPY api/ api/
COPY controllers/ controllers/
COPY cmd/ cmd/
# Without a target, as with a plain "docker build", this builds for the machine that builds.
RUN CGO_ENABLED=0 GOOS=${TARGETOS:-linux} GOARCH=${TARGETARCH} \
    go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o manager ./cmd

FROM ${FINAL_IMAGE}
ARG VERSION=dev
LABEL org.opencontainers.image.title="clustercredential-operator" \
      org.opencontainers.image.description="Keeps kubeconfigs for Huawei Cloud CCE clusters in Secrets, and rotates them" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
WORKDIR /
COPY --from=builder /workspace/manager /manager
USER 65532:65532
ENTRYPOINT ["/manager"]
