// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// kubectlTime bounds one command: none of ours waits for anything.
const kubectlTime = 30 * time.Second

func findKubectl(assets string) (string, error) {
	if assets == "" {
		assets = os.Getenv("KUBEBUILDER_ASSETS")
	}
	path := filepath.Join(assets, "kubectl")
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return "", fmt.Errorf("no %s: set KUBEBUILDER_ASSETS to what hack/kube-assets.sh prints", path)
	}
	return filepath.Abs(path)
}

// Kubectl runs kubectl as the administrator and returns what it prints, which is also in the error. An argument
// --kubeconfig makes it someone else.
func (s *Stack) Kubectl(args ...string) (string, error) {
	return s.KubectlInput("", args...)
}

// KubectlInput is Kubectl with something on standard input, for "apply -f -".
//
//nolint:contextcheck,nolintlint // it has the context of the stack; callers are checked, not this
func (s *Stack) KubectlInput(input string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(s.life, kubectlTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.kubectl, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.Kubeconfig, "KUBECTL_KUBERC=false")
	cmd.Stdin = strings.NewReader(input)
	cmd.SysProcAttr = ownGroup()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}
