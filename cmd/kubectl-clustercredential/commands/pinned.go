// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	clientauthenticationv1 "k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

const installHint = "This kubeconfig fetches its credential with kubectl-clustercredential, which has to be on the PATH: see docs/kubectl.md of ClusterCredential."

// execUser is a user whose credential this program fetches, from this hub whatever the current context or directory will be.
func (h *hub) execUser(namespace, name string) (*api.AuthInfo, error) {
	pinned, err := h.pinned()
	if err != nil {
		return nil, err
	}
	files, err := h.files()
	if err != nil {
		return nil, err
	}
	return &api.AuthInfo{Exec: &api.ExecConfig{
		APIVersion: clientauthenticationv1.SchemeGroupVersion.String(), Command: "kubectl-clustercredential",
		Args:        slices.Concat([]string{"exec-credential", name, "--namespace=" + namespace}, pinned),
		Env:         []api.ExecEnvVar{{Name: clientcmd.RecommendedConfigPathEnvVar, Value: files}},
		InstallHint: installHint, InteractiveMode: api.NeverExecInteractiveMode, ProvideClusterInfo: false,
	}}, nil
}

// files are the hub's kubeconfig files, as KUBECONFIG has them: of several, each may hold a part.
func (h *hub) files() (string, error) {
	var files []string
	for _, file := range h.rules.GetLoadingPrecedence() {
		if _, err := os.Stat(file); err != nil {
			continue
		}
		absolute, err := filepath.Abs(file)
		if err != nil {
			return "", err
		}
		files = append(files, absolute)
	}
	if len(files) == 0 {
		return "", errors.New("--exec needs a kubeconfig file of the hub (--kubeconfig or KUBECONFIG), which the written one refers to")
	}
	return strings.Join(files, string(os.PathListSeparator)), nil
}

// pinned are the flags that lead to this hub as this user.
func (h *hub) pinned() ([]string, error) {
	context := h.overrides.CurrentContext
	if context == "" {
		config, err := h.clientConfig().RawConfig()
		if err != nil {
			return nil, err
		}
		context = config.CurrentContext
	}
	args := []string{"--context=" + context}
	var refused []string
	h.flags.Visit(func(f *pflag.Flag) {
		switch f.Name {
		case clientcmd.RecommendedConfigPathFlag, "context", "namespace":
		case "token", "username", "password":
			refused = append(refused, "--"+f.Name)
		case "proxy-url":
			if proxy, err := url.Parse(f.Value.String()); err != nil || proxy.User != nil {
				refused = append(refused, "--proxy-url with a password")
				return
			}
			args = append(args, flagText(f)...)
		case "client-certificate", "client-key", "certificate-authority":
			absolute, err := filepath.Abs(f.Value.String())
			if err != nil {
				absolute = f.Value.String()
			}
			args = append(args, "--"+f.Name+"="+absolute)
		default:
			args = append(args, flagText(f)...)
		}
	})
	if len(refused) > 0 {
		return nil, fmt.Errorf("%s would be written into the kubeconfig with --exec: put it into a kubeconfig of the hub instead", strings.Join(refused, " and "))
	}
	return args, nil
}

// flagText repeats a flag.
func flagText(f *pflag.Flag) []string {
	several, isSlice := f.Value.(pflag.SliceValue)
	if !isSlice {
		return []string{"--" + f.Name + "=" + f.Value.String()}
	}
	var args []string
	for _, value := range several.GetSlice() {
		args = append(args, "--"+f.Name+"="+value)
	}
	return args
}
