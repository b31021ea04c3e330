// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"os"

	"github.com/clustercredential/operator/hack/ccesim"
)

// authority reads the certificate authorities into the configuration.
func (o *options) authority(cfg *ccesim.Config) error {
	if o.serverCA != "" {
		text, err := os.ReadFile(o.serverCA)
		if err != nil {
			return fmt.Errorf("--server-ca: %w", err)
		}
		cfg.ServerCAPEM = text
	}
	if o.caCert == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(o.caCert, o.caKey)
	if err != nil {
		return fmt.Errorf("--ca-cert, --ca-key: %w", err)
	}
	signer, ok := pair.PrivateKey.(crypto.Signer)
	if !ok {
		return errors.New("--ca-key: the key cannot sign")
	}
	cfg.CACert, cfg.CAKey = pair.Leaf, signer
	return nil
}
