// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package realkube

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Config returns a copy of the administrator's configuration (group system:masters), without a rate limit on the
// client's side.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.admin) }

// UserConfig returns the configuration of a user who logs in with a client certificate. The user may do what RBAC lets
// the name and the groups do, which at first is next to nothing.
func (c *Cluster) UserConfig(name string, groups ...string) (*rest.Config, error) {
	base := &rest.Config{Host: c.URL(), QPS: -1, TLSClientConfig: rest.TLSClientConfig{CAData: c.ServerCA()}}
	return c.authn.AddUser(envtest.User{Name: name, Groups: groups}, base)
}

// Kubeconfig returns cfg as a kubeconfig file, for kubectl and for the manager as a process.
func (c *Cluster) Kubeconfig(cfg *rest.Config) ([]byte, error) {
	const name = "realkube"
	file := clientcmdapi.NewConfig()
	file.Clusters[name] = &clientcmdapi.Cluster{Server: cfg.Host, CertificateAuthorityData: cfg.CAData}
	file.AuthInfos[name] = &clientcmdapi.AuthInfo{
		ClientCertificateData: cfg.CertData,
		ClientKeyData:         cfg.KeyData,
		Token:                 cfg.BearerToken,
	}
	file.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	file.CurrentContext = name
	data, err := clientcmd.Write(*file)
	if err != nil {
		return nil, fmt.Errorf("writing a kubeconfig: %w", err)
	}
	return data, nil
}
