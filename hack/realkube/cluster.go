// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package realkube

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 15 * time.Second
)

// Options say what to start. The zero value is a good start.
type Options struct {
	// AssetsDir holds etcd and kube-apiserver. Unset: $KUBEBUILDER_ASSETS.
	AssetsDir string
	// CRDDirs are directories, or files, of CustomResourceDefinitions to install.
	CRDDirs []string
	// APIServerArgs are more flags for the API server, without the dashes.
	APIServerArgs map[string][]string
	// EtcdArgs are more flags for etcd, without the dashes.
	EtcdArgs map[string][]string
	// AuditLog is a file to which the API server writes one line of JSON for each request, without bodies.
	AuditLog string
	// Controllers are the controllers of kube-controller-manager to run beside, such as GarbageCollector. Unset: none, and
	// no such process. The binary is made by hack/kube-assets.sh --with=kube-controller-manager.
	Controllers []string
	// Dir keeps the data of etcd and all certificates: a cluster that is started again in the same directory has the same
	// objects and the same authorities. Unset: a temporary directory that Stop removes.
	Dir string
	// Port of the API server. Unset: a free one.
	Port int
	// OneCA has one authority sign the client certificates and that of the server, as in a CCE cluster, so that the CA of a
	// kubeconfig verifies both. A directory that is started again must be started with the same choice.
	OneCA bool
	// Out takes what the processes print. Unset: nothing is shown, and the last lines stand in the error if one fails.
	Out io.Writer
}

// Cluster is a running etcd and kube-apiserver.
type Cluster struct {
	opts         Options
	dir          string
	dirIsOurs    bool
	clientCA     *keyPair
	servingCA    *keyPair
	authn        *clientCertificates
	etcd         *envtest.Etcd
	apiServer    *envtest.APIServer
	controllers  *controllerManager
	admin        *rest.Config
	etcdOut      *tail
	apiServerOut *tail

	mu       sync.Mutex // held by Start until it returns, so that Stop comes after it
	stopOnce sync.Once
	stopErr  error
}

// Start starts a cluster and returns once it serves:
//
//  1. find the binaries and make the directory and the certificates,
//  2. start etcd, then the API server,
//  3. wait until it says that it is ready and has the namespace "default",
//  4. install the CRDs,
//  5. start the controllers.
//
// What was started is stopped again if a later step fails or ctx ends. Once Start has returned, ctx does nothing: call Stop.
func Start(ctx context.Context, opts Options) (_ *Cluster, err error) {
	names := []string{"etcd", "kube-apiserver"}
	if len(opts.Controllers) > 0 {
		names = append(names, "kube-controller-manager")
	}
	assets, err := findAssets(opts.AssetsDir, names...)
	if err != nil {
		return nil, err
	}
	c, err := prepare(assets, opts)
	if err != nil {
		return nil, fmt.Errorf("preparing a cluster: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	running.add(c)
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()

	if err := c.startProcesses(ctx); err != nil {
		return nil, err
	}
	if err := c.waitUntilReady(ctx); err != nil {
		return nil, err
	}
	if err := c.InstallCRDs(opts.CRDDirs...); err != nil {
		return nil, err
	}
	if len(opts.Controllers) > 0 {
		c.controllers, err = c.startControllers(assets, opts)
		if err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Cluster) startProcesses(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.etcd.Start(); err != nil {
		return fmt.Errorf("starting etcd: %w%s", err, c.etcdOut.lastLines())
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.apiServer.EtcdURL = c.etcd.URL
	if err := c.apiServer.Start(); err != nil {
		return fmt.Errorf("starting kube-apiserver: %w%s", err, c.apiServerOut.lastLines())
	}
	admin, err := c.UserConfig("admin", "system:masters")
	if err != nil {
		return err
	}
	c.admin = admin
	return nil
}

func (c *Cluster) waitUntilReady(ctx context.Context) error {
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		return err
	}
	var last error
	err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, startTimeout, true,
		func(ctx context.Context) (bool, error) {
			rest := client.CoreV1().RESTClient()
			last = rest.Get().AbsPath("/readyz").Do(ctx).Error()
			if last == nil {
				last = rest.Get().AbsPath("/api/v1/namespaces/default").Do(ctx).Error()
			}
			return last == nil, nil
		})
	if err != nil {
		return fmt.Errorf("waiting for kube-apiserver to be ready: %w (%w)%s", err, last, c.apiServerOut.lastLines())
	}
	return nil
}

// InstallCRDs installs the CustomResourceDefinitions in these directories or files, and waits until they are served.
func (c *Cluster) InstallCRDs(paths ...string) error {
	if len(paths) == 0 {
		return nil
	}
	options := envtest.CRDInstallOptions{Paths: paths, ErrorIfPathMissing: true, MaxTime: startTimeout}
	if _, err := envtest.InstallCRDs(c.Config(), options); err != nil {
		return fmt.Errorf("installing the CRDs of %v: %w", paths, err)
	}
	return nil
}

// URL is where the API server serves: https://127.0.0.1 and a port.
func (c *Cluster) URL() string {
	url := c.apiServer.SecureServing.URL("https", "")
	return url.String()
}

// EtcdURL is where etcd serves, without TLS, for etcdutl and the like.
func (c *Cluster) EtcdURL() string { return c.etcd.URL.String() }

// Dir holds the data of etcd (etcd) and the certificates (apiserver).
func (c *Cluster) Dir() string { return c.dir }

// ClientCA returns the authority whose client certificates the API server believes: the common name is the user, the
// organizations are the groups.
func (c *Cluster) ClientCA() (*x509.Certificate, crypto.Signer, []byte) {
	return c.clientCA.cert, c.clientCA.key, c.clientCA.certPEM()
}

// ServerCA returns, as PEM, the authority that signed the certificate with which the API server serves.
func (c *Cluster) ServerCA() []byte { return c.servingCA.certPEM() }

// Stop stops the processes, in the opposite order, and removes the directory unless it was given. It may be called more than
// once and from any goroutine: everyone gets the result of the first call, once it is there.
func (c *Cluster) Stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stop()
}

func (c *Cluster) stop() error {
	c.stopOnce.Do(func() {
		c.stopErr = errors.Join(c.controllers.stop(), c.apiServer.Stop(), c.etcd.Stop())
		if c.dirIsOurs {
			c.stopErr = errors.Join(c.stopErr, os.RemoveAll(c.dir))
		}
		running.remove(c)
	})
	return c.stopErr
}
