module github.com/clustercredential/operator/hack/conformance/world

go 1.26.0
