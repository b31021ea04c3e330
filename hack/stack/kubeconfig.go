// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
)

// Certificate reads the client certificate of a kubeconfig.
func Certificate(kubeconfig []byte) (*x509.Certificate, error) {
	cfg, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	block, _ := pem.Decode(cfg.CertData)
	if block == nil {
		return nil, errors.New("the kubeconfig holds no client certificate")
	}
	return x509.ParseCertificate(block.Bytes)
}

// Serial is the serial number of that certificate, as status and the cloud's ledger write it.
func Serial(kubeconfig []byte) (string, error) {
	cert, err := Certificate(kubeconfig)
	if err != nil {
		return "", err
	}
	return SerialOf(cert), nil
}

// SerialOf is the serial number of a certificate, as "openssl x509 -serial" prints it.
func SerialOf(cert *x509.Certificate) string { return fmt.Sprintf("%X", cert.SerialNumber.Bytes()) }
