// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/clustercredential/operator/hack/ccesim"
)

// options are the flags as given.
type options struct {
	listen, tlsCert, tlsKey string
	logRequests             bool
	metadata, podIdentity   string

	caCert, caKey, serverCA, writeCA string

	configFile                         string
	accessKey, secretKey, token        string
	userID, project, region            string
	groups                             list
	clusters                           list
	grantedLifetime, backdate, latency time.Duration
	temporaryLifetime                  time.Duration
	writesPerMinute, keyPool           int
	keyAlgorithm                       string
}

// list is a flag that may be given more than once.
type list []string

func (l *list) String() string { return strings.Join(*l, " ") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

const (
	defaultUser    = "0c97ac3cb280f4d91fa7c0096739e1f8"
	defaultProject = "0123456789abcdef0123456789abcdef"
	defaultRegion  = "ap-southeast-3"
)

func parseFlags(args []string, out io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("ccesim", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are reported once, by main
	flags.Usage = func() {}
	o.serving(flags)
	o.certificates(flags)
	o.contents(flags)
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		usage(out, flags)
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w; --help lists the flags", err)
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return nil, fmt.Errorf("--tls-cert and --tls-key go together")
	case (o.caCert == "") != (o.caKey == ""):
		return nil, fmt.Errorf("--ca-cert and --ca-key go together")
	case (o.accessKey == "") != (o.secretKey == ""):
		return nil, fmt.Errorf("--access-key and --secret-key go together")
	}
	return o, nil
}

func (o *options) scheme() string {
	if o.tlsCert != "" {
		return "https"
	}
	return "http"
}

func (o *options) serving(flags *flag.FlagSet) {
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8443", "`address` to listen on; port 0 takes a free one")
	flags.StringVar(&o.tlsCert, "tls-cert", "", "PEM `file` with the serving certificate; unset: plain HTTP")
	flags.StringVar(&o.tlsKey, "tls-key", "", "PEM `file` with its key")
	flags.StringVar(&o.metadata, "metadata-listen", "", "`address` of the metadata service of ECS; unset: there is none")
	flags.StringVar(&o.podIdentity, "pod-identity-listen", "", "`address` of the agent of CCE pod identity; unset: there is none")
	flags.BoolVar(&o.logRequests, "log-requests", false, "log one line a request to stderr")
	flags.DurationVar(&o.latency, "latency", 0, "`time` between a call's effect and its answer")
	flags.IntVar(&o.writesPerMinute, "writes-per-minute", 0, "POSTs that an access key may send in any 60 s, refused ones included; 0: no limit")
}

func (o *options) certificates(flags *flag.FlagSet) {
	flags.StringVar(&o.caCert, "ca-cert", "", "PEM `file` with the CA that signs client certificates and is shown in kubeconfigs; unset: a new one")
	flags.StringVar(&o.caKey, "ca-key", "", "PEM `file` with its key")
	flags.StringVar(&o.serverCA, "server-ca", "", "PEM `file` with the CA to show in kubeconfigs instead")
	flags.StringVar(&o.writeCA, "write-ca", "", "`file` to write the signing CA's certificate to, before the URL is printed")
	flags.DurationVar(&o.grantedLifetime, "granted-lifetime", 0, "longest `time` a certificate lasts; 0: as asked")
	flags.DurationVar(&o.temporaryLifetime, "temporary-lifetime", 0, "`time` that the access keys of agencies last; 0: 24h")
	flags.DurationVar(&o.backdate, "backdate", 0, "`time` that certificates begin before their issue")
	flags.StringVar(&o.keyAlgorithm, "key-algorithm", string(ccesim.RSA2048), "of issued keys: rsa2048 (about 65 ms each), ec or ed25519")
	flags.IntVar(&o.keyPool, "key-pool", 0, "make so many keys at start and use them again and again; 0: a fresh key for each certificate")
}

func (o *options) contents(flags *flag.FlagSet) {
	flags.StringVar(&o.configFile, "config", "", "JSON `file` with keys, tokens, agencies, identity providers, projects and clusters; the flags below add to it")
	flags.StringVar(&o.accessKey, "access-key", "", "`ID` of an access key to accept")
	flags.StringVar(&o.secretKey, "secret-key", "", "its secret; visible in the list of processes, so for throw-away values only")
	flags.StringVar(&o.token, "token", "", "X-Auth-Token to accept; visible likewise")
	flags.StringVar(&o.userID, "user-id", defaultUser, "user of --access-key and --token: the common name of certificates")
	flags.Var(&o.groups, "group", "`group` of that user: an organization in certificates; repeatable")
	flags.StringVar(&o.project, "project", "", "`ID` of a project, 32 hexadecimal digits; unset without --config: "+defaultProject)
	flags.StringVar(&o.region, "region", "", "name of that project; unset: "+defaultRegion)
	flags.Var(&o.clusters, "cluster", "`CLUSTER` in that project, as id=UUID,name=NAME[,internal=URL][,external=URL][,alias=NAME][,phase=PHASE][,san=HOST][,type=autopilot][,version=V]; repeatable")
}
