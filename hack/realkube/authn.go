// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package realkube

import (
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// clientCertificates tells the API server to believe client certificates of our own certificate authority. envtest's own
// implementation keeps the authority to itself.
type clientCertificates struct {
	ca   *keyPair
	file string
}

var _ envtest.Authn = (*clientCertificates)(nil)

// Configure is called first, and sets the flag.
func (c *clientCertificates) Configure(workDir string, args *envtest.Arguments) error {
	c.file = filepath.Join(workDir, "client-ca-bundle.crt")
	args.Set("client-ca-file", c.file)
	return nil
}

// Start is called just before the API server starts, and writes the file.
func (c *clientCertificates) Start() error {
	return os.WriteFile(c.file, c.ca.certPEM(), 0o600)
}

// AddUser returns a copy of base that logs in as user.
func (c *clientCertificates) AddUser(user envtest.User, base *rest.Config) (*rest.Config, error) {
	client, err := c.ca.newClient(user.Name, user.Groups)
	if err != nil {
		return nil, err
	}
	key, err := client.keyPEM()
	if err != nil {
		return nil, err
	}
	cfg := rest.CopyConfig(base)
	cfg.CertData, cfg.KeyData = client.certPEM(), key
	return cfg, nil
}

// Stop has nothing to do: the file goes with its directory.
func (c *clientCertificates) Stop() error { return nil }
