// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// contents is what a kubeconfig in a Secret says.
type contents struct {
	serial, server      string
	notBefore, notAfter time.Time
	chained             bool // signed by the CA in it
}

// readKubeconfig reads one as a client would: with one cluster, user and context, and a key
// that fits its certificate.
func readKubeconfig(data []byte) (contents, error) {
	config, err := clientcmd.Load(data)
	if err != nil {
		return contents{}, err
	}
	context := config.Contexts[config.CurrentContext]
	if context == nil || len(config.Contexts)+len(config.Clusters)+len(config.AuthInfos) != 3 {
		return contents{}, fmt.Errorf("%d contexts, %d clusters, %d users", len(config.Contexts), len(config.Clusters), len(config.AuthInfos))
	}
	cluster, user := config.Clusters[context.Cluster], config.AuthInfos[context.AuthInfo]
	if cluster == nil || user == nil || cluster.InsecureSkipTLSVerify {
		return contents{}, fmt.Errorf("cluster %q or user %q is not fit for use", context.Cluster, context.AuthInfo)
	}
	pair, err := tls.X509KeyPair(user.ClientCertificateData, user.ClientKeyData)
	if err != nil {
		return contents{}, fmt.Errorf("the key and the certificate: %w", err)
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(cluster.CertificateAuthorityData)
	leaf := pair.Leaf
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: authorities, CurrentTime: leaf.NotAfter, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return contents{fmt.Sprintf("%X", leaf.SerialNumber.Bytes()), cluster.Server, leaf.NotBefore, leaf.NotAfter, err == nil}, nil
}
