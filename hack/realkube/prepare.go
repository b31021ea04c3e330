// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package realkube

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// prepare makes the directory, the certificates and the configuration of the processes, and starts nothing.
func prepare(assets string, opts Options) (_ *Cluster, err error) {
	c := &Cluster{opts: opts, dir: opts.Dir, etcdOut: newTail(opts.Out), apiServerOut: newTail(opts.Out)}
	if c.dir == "" {
		c.dirIsOurs = true
		if c.dir, err = os.MkdirTemp("", "realkube-"); err != nil {
			return nil, err
		}
	}
	defer func() {
		if err != nil && c.dirIsOurs {
			err = errors.Join(err, os.RemoveAll(c.dir))
		}
	}()

	if err := c.makeCertificates(opts.OneCA); err != nil {
		return nil, err
	}
	c.etcd = &envtest.Etcd{
		Path: filepath.Join(assets, "etcd"), DataDir: filepath.Join(c.dir, "etcd"),
		StartTimeout: startTimeout, StopTimeout: stopTimeout,
		Out: c.etcdOut, Err: c.etcdOut,
	}
	c.apiServer = &envtest.APIServer{
		Path: filepath.Join(assets, "kube-apiserver"), CertDir: c.certDir(),
		StartTimeout: startTimeout, StopTimeout: stopTimeout,
		Out: c.apiServerOut, Err: c.apiServerOut,
	}
	if opts.Port != 0 {
		c.apiServer.SecureServing.ListenAddr = envtest.ListenAddr{Address: "127.0.0.1", Port: strconv.Itoa(opts.Port)}
	}
	c.apiServer.SecureServing.Authn = c.authn
	c.apiServer.SecureServing.CA = c.servingCA.certPEM()
	setFlags(c.etcd.Configure(), opts.EtcdArgs)
	setFlags(c.apiServer.Configure(), opts.APIServerArgs)
	return c, c.configureAudit(opts.AuditLog)
}

func setFlags(args *envtest.Arguments, flags map[string][]string) {
	for name, values := range flags {
		args.Set(name, values...)
	}
}

func (c *Cluster) certDir() string { return filepath.Join(c.dir, "apiserver") }

// makeCertificates writes what envtest would make itself (under the names that it looks for) if it were not there, so that
// the authorities are ours and outlive a restart.
func (c *Cluster) makeCertificates(oneCA bool) (err error) {
	dir := c.certDir()
	for _, d := range []string{dir, filepath.Join(c.dir, "etcd")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	newNamed := func(name string) func() (*keyPair, error) {
		return func() (*keyPair, error) { return newCA(name) }
	}
	if c.clientCA, err = kept(dir, "client-ca", newNamed("realkube client authority")); err != nil {
		return err
	}
	c.authn = &clientCertificates{ca: c.clientCA}
	if oneCA {
		c.servingCA = c.clientCA
	} else if c.servingCA, err = kept(dir, "serving-ca", newNamed("realkube server authority")); err != nil {
		return err
	}
	if _, err = kept(dir, "apiserver", c.servingCA.newLoopbackServer); err != nil {
		return err
	}
	_, err = kept(dir, "sa-signer", newNamed("realkube service accounts"))
	return err
}

const auditPolicy = `{"apiVersion": "audit.k8s.io/v1", "kind": "Policy",
  "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}]}
`

func (c *Cluster) configureAudit(log string) error {
	if log == "" {
		return nil
	}
	policy := filepath.Join(c.certDir(), "audit-policy.json")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	setFlags(c.apiServer.Configure(), map[string][]string{
		"audit-policy-file": {policy},
		"audit-log-path":    {log},
		"audit-log-mode":    {"blocking"}, // a line is there once its request was answered
	})
	return nil
}
