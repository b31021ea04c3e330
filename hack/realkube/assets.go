// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package realkube

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const assetsVariable = "KUBEBUILDER_ASSETS"

// errNoAssets says what to do, since it is the first thing that a newcomer meets.
var errNoAssets = errors.New(`no Kubernetes binaries: run "make test", or set ` + assetsVariable +
	` to what hack/kube-assets.sh prints: export ` + assetsVariable + `="$(hack/kube-assets.sh | tail -n 1)"`)

// findAssets returns the directory of the binaries, and an error unless it holds every one of names.
func findAssets(dir string, names ...string) (string, error) {
	if dir == "" {
		dir = os.Getenv(assetsVariable)
	}
	if dir == "" {
		return "", errNoAssets
	}
	for _, name := range names {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.IsDir() {
			return "", fmt.Errorf("%s has no %s: run hack/kube-assets.sh --with=%s", dir, name, name)
		}
	}
	return filepath.Abs(dir)
}
