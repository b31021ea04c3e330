// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/x509"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/util/validation"
	_ "sigs.k8s.io/controller-runtime/pkg/client/config" // registers --kubeconfig
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers"
)

// accountWorkers is how many CloudAccounts are looked at at a time: a check may take
// seconds, and there are few.
const accountWorkers = 4

// options are the flags.
type options struct {
	metricsAddress, metricsCertDir, probeAddress string
	pprofAddress                                 string
	metricsSecure, leaderElect, version          bool
	class                                        string
	namespaces                                   []string
	workers                                      int
	minIssueInterval, verifyInterval             time.Duration
	clusterInterval                              time.Duration
	fleetHold, allowInsecureTLS                  bool
	crossNamespaceOutputs, verifyCustomEndpoints bool
	cceEndpoint, iamEndpoint, caBundle           string
	kubeAPIQPS                                   float32
	kubeAPIBurst                                 int
	zap                                          zap.Options
}

// parseOptions reads the flags. Errors name the flag and what to write.
func parseOptions(args []string) (options, error) {
	var o options
	var namespaces string
	var qps float64
	flags := flag.NewFlagSet("manager", flag.ContinueOnError)
	if theirs := flag.Lookup("kubeconfig"); theirs != nil {
		flags.Var(theirs.Value, theirs.Name, theirs.Usage)
	}
	flags.StringVar(&o.metricsAddress, "metrics-bind-address", ":8443", "address that serves metrics; 0: none")
	flags.BoolVar(&o.metricsSecure, "metrics-secure", true, "serve metrics over TLS, to those only whom the API server lets get /metrics")
	flags.StringVar(&o.metricsCertDir, "metrics-cert-dir", "", "directory with tls.crt and tls.key for metrics; empty: a self-signed certificate")
	flags.StringVar(&o.probeAddress, "health-probe-bind-address", ":8081", "address that serves /healthz and /readyz; 0: none")
	flags.StringVar(&o.pprofAddress, "pprof-bind-address", "", "address of this host itself that serves profiles for go tool pprof, such as 127.0.0.1:6060; empty: none")
	flags.BoolVar(&o.leaderElect, "leader-elect", false, "work only while holding a Lease; needed with more than one replica")
	flags.StringVar(&o.class, "class", "", "serve only what carries the label "+v1alpha1.LabelClass+" with this value, for several operators in one cluster; empty: only what does not carry that label")
	flags.StringVar(&namespaces, "namespaces", "", "comma-separated list of the namespaces to look at; empty: all")
	flags.IntVar(&o.workers, "max-concurrent-reconciles", 32, "how many ClusterCredentials are worked on at a time; at most a quarter of them, and never more than 8, have a turn of one account, and 4 of those a certificate under way")
	flags.DurationVar(&o.minIssueInterval, "min-issue-interval", controllers.DefaultMinIssueInterval, "least time between two certificates of one ClusterCredential without a request")
	flags.DurationVar(&o.verifyInterval, "verify-interval", 10*time.Minute, "how often a published credential is tried against its cluster")
	flags.BoolVar(&o.verifyCustomEndpoints, "verify-custom-endpoints", true, "try credentials at the servers and through the proxies that spec.endpoint gives, too; false: only at addresses that the cloud offers")
	flags.DurationVar(&o.clusterInterval, "cluster-interval", 10*time.Minute, "how often the clusters of an account are listed, to see whether addresses have moved or clusters are gone")
	flags.BoolVar(&o.fleetHold, "fleet-hold", true, "let at most 5, or 2 % of all ClusterCredentials, get a certificate within an hour that is neither their first, nor due, nor requested; false: as many as want one")
	flags.BoolVar(&o.allowInsecureTLS, "allow-insecure-tls", false, "let spec.endpoint.allowInsecureTLS publish addresses without TLS verification")
	flags.BoolVar(&o.crossNamespaceOutputs, "cross-namespace-outputs", false, "write outputs into other namespaces, where a CredentialGrant there lets it")
	flags.StringVar(&o.cceEndpoint, "cce-endpoint", "", "address of CCE for all accounts, such as https://cce.eu-de.otc.t-systems.com; empty: that of each account's region")
	flags.StringVar(&o.iamEndpoint, "iam-endpoint", "", "address of IAM for all accounts; empty: that of each account's region, or with --cce-endpoint the host beside it")
	flags.StringVar(&o.caBundle, "ca-bundle", "", "file with the CAs (PEM) that the cloud's certificates are verified against; empty: those of the system")
	flags.Float64Var(&qps, "kube-api-qps", 0, "requests a second to the API server; 0: no limit on our side, the API server's own fairness counts")
	flags.IntVar(&o.kubeAPIBurst, "kube-api-burst", 0, "requests to the API server at once under --kube-api-qps; 0: twice --kube-api-qps")
	flags.BoolVar(&o.version, "version", false, "print the version and end")
	o.zap.BindFlags(flags)
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: all settings are flags, see --help", flags.Arg(0))
	}
	o.namespaces = splitList(namespaces)
	o.boundLogLevel()
	if err := o.check(qps); err != nil {
		return o, err
	}
	o.setQPS(qps)
	return o, nil
}

// maxLogLevel is the highest level at which client-go logs no bodies of requests: from
// 8 on it would log every Secret that we read and write.
const maxLogLevel = 7

// boundLogLevel keeps Secrets out of the log, whatever --zap-log-level says.
func (o *options) boundLogLevel() {
	if o.zap.Level != nil && o.zap.Level.Enabled(-maxLogLevel-1) {
		o.zap.Level = zapcore.Level(-maxLogLevel)
	}
}

func (o *options) setQPS(qps float64) {
	o.kubeAPIQPS = float32(qps)
	if qps == 0 {
		o.kubeAPIQPS = -1 // what client-go calls unlimited
	}
	if o.kubeAPIBurst == 0 {
		o.kubeAPIBurst = max(1, int(2*qps))
	}
}

func (o *options) check(qps float64) error {
	switch {
	case o.class != "" && len(validation.IsDNS1123Label(o.class)) > 0:
		return fmt.Errorf("--class: write up to %d lower-case letters, digits and '-' in between, such as team-a, not %q", validation.DNS1123LabelMaxLength, o.class)
	case o.pprofAddress != "" && !isLoopback(o.pprofAddress):
		return fmt.Errorf("--pprof-bind-address: write an address that only this host itself reaches, such as 127.0.0.1:6060, not %q", o.pprofAddress)
	case o.workers < 1:
		return fmt.Errorf("--max-concurrent-reconciles: write 1 or more, not %d", o.workers)
	case o.clusterInterval < time.Second:
		return fmt.Errorf("--cluster-interval: write 1s or more, not %s", o.clusterInterval)
	case o.verifyInterval < time.Second:
		return fmt.Errorf("--verify-interval: write 1s or more, not %s", o.verifyInterval)
	case o.minIssueInterval < time.Second:
		return fmt.Errorf("--min-issue-interval: write 1s or more, not %s", o.minIssueInterval)
	case qps < 0:
		return fmt.Errorf("--kube-api-qps: write 0 or more, not %v", qps)
	case o.kubeAPIBurst < 0:
		return fmt.Errorf("--kube-api-burst: write 0 or more, not %d", o.kubeAPIBurst)
	}
	return nil
}

// isLoopback says whether an address with a port is reached from the same host only: profiles are for nobody else.
func isLoopback(address string) bool {
	listener, err := netip.ParseAddrPort(address)
	return err == nil && listener.Addr().IsLoopback()
}

func splitList(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// rootCAs are the CAs in a file; nil: those of the system.
func rootCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file) //nolint:gosec // the administrator names the file
	if err != nil {
		return nil, fmt.Errorf("--ca-bundle: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca-bundle: %s holds no certificate in PEM", file)
	}
	return pool, nil
}
