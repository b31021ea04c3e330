// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package leak finds out whose a certificate is that turned up somewhere.
package leak

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Certificate is a client certificate that was found in the input.
type Certificate struct {
	// Where says where in the input.
	Where       string    `json:"where"`
	Fingerprint string    `json:"fingerprintSHA256"`
	Serial      string    `json:"serialNumber"`
	CommonName  string    `json:"commonName"`
	Issuer      string    `json:"issuer"`
	NotBefore   time.Time `json:"notBefore"`
	NotAfter    time.Time `json:"notAfter"`
}

// MostInput bounds what is read.
const MostInput = 4 << 20

// errNothing carries nothing of the input, which may hold keys.
var errNothing = errors.New("the input is no kubeconfig and no certificate in PEM form")

// Read finds the client certificates in a kubeconfig, or in PEM text. notes say what in it holds none. An error never repeats the input.
func Read(input []byte) (found []Certificate, notes []string, err error) {
	if len(input) > MostInput {
		return nil, nil, fmt.Errorf("the input is larger than %d MiB", MostInput>>20)
	}
	if config, err := clientcmd.Load(input); err == nil && len(config.AuthInfos) > 0 {
		found, notes = ofKubeconfig(config)
		return found, notes, nil
	}
	if found = ofPEM(input, "certificate"); len(found) == 0 {
		return nil, nil, errNothing
	}
	return found, nil, nil
}

func ofKubeconfig(config *api.Config) (found []Certificate, notes []string) {
	for _, name := range slices.Sorted(maps.Keys(config.AuthInfos)) {
		user, where := config.AuthInfos[name], fmt.Sprintf("user %q", name)
		certificates := ofPEM(user.ClientCertificateData, where)
		switch {
		case len(certificates) > 0:
			found = append(found, certificates[0]) // the leaf; what follows is its chain
		case len(user.ClientCertificateData) > 0:
			notes = append(notes, where+" has client-certificate-data that is no certificate")
		case user.ClientCertificate != "":
			notes = append(notes, where+" has its certificate in another file: give that one with -f")
		case user.Exec != nil && strings.HasSuffix(user.Exec.Command, "kubectl-clustercredential"):
			notes = append(notes, where+" has no key: it fetches one with a login to the hub, of "+strings.Join(user.Exec.Args, " "))
		default:
			notes = append(notes, where+" has no client certificate, so the operator did not write it")
		}
	}
	return found, notes
}

// ofPEM reads the certificates in a text, in which anything else may stand.
func ofPEM(text []byte, where string) []Certificate {
	var found []Certificate
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil || certificate.SerialNumber.Sign() < 0 {
			continue
		}
		found = append(found, describe(certificate, where))
	}
	return found
}

func describe(c *x509.Certificate, where string) Certificate {
	digest := sha256.Sum256(c.Raw)
	octets := c.SerialNumber.Bytes()
	if len(octets) == 0 {
		octets = []byte{0}
	}
	return Certificate{
		Where: where, Fingerprint: hex.EncodeToString(digest[:]), Serial: strings.ToUpper(hex.EncodeToString(octets)),
		CommonName: c.Subject.CommonName, Issuer: c.Issuer.String(), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
	}
}
