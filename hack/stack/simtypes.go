// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"
)

// Entry is what the cloud's ledger holds about one POST.
type Entry struct {
	Index     int       `json:"index"`
	Time      time.Time `json:"time"`
	Op        string    `json:"op"` // clustercert or clustercertrevoke
	AccessKey string    `json:"accessKey"`
	UserID    string    `json:"userID"`
	Cluster   string    `json:"cluster"` // its id
	Status    int       `json:"status"`  // 0: none was sent (yet)
	Serial    string    `json:"serial"`  // empty: no certificate was made
	NotAfter  time.Time `json:"notAfter"`
	RequestID string    `json:"requestID"`
	Fault     string    `json:"fault"`    // what the script did to it
	Finished  bool      `json:"finished"` // the cloud is done with it
	Complete  bool      `json:"complete"` // the whole answer went out
	Revoked   bool      `json:"revoked"`  // a later clustercertrevoke covers the certificate
}

// Fault is something that goes wrong; docs/ccesim.md has the names and what the fields mean.
type Fault struct {
	Name       string  `json:"name"`
	Op         string  `json:"op,omitempty"`
	Cluster    string  `json:"cluster,omitempty"`
	AccessKey  string  `json:"accessKey,omitempty"`
	Times      int     `json:"times,omitempty"`
	RetryAfter float64 `json:"retryAfter,omitempty"`
	Dialect    string  `json:"dialect,omitempty"`
	Pause      float64 `json:"pause,omitempty"`
}

// FaultDoc describes a fault.
type FaultDoc struct {
	Name  string `json:"name"`
	About string `json:"about"`
	Mints bool   `json:"mints"`
	AnyOp bool   `json:"anyOp"`
}

// SimCluster is a cluster of the cloud.
type SimCluster struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Alias       string   `json:"alias,omitempty"`
	ProjectID   string   `json:"projectID"`
	Type        string   `json:"type,omitempty"`
	Phase       string   `json:"phase,omitempty"`
	InternalURL string   `json:"internalURL,omitempty"`
	ExternalURL string   `json:"externalURL,omitempty"`
	CustomSANs  []string `json:"customSANs,omitempty"`
}

// NewCluster is a cluster whose external address is the API server. It is in the cloud only once PutCluster has put it there.
func (s *Stack) NewCluster(name string) SimCluster {
	return SimCluster{
		ID: ClusterID(name), Name: name, ProjectID: ProjectID,
		InternalURL: "https://192.168.0.10:5443", ExternalURL: s.Kube.URL(),
	}
}

func keyPEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding the authority's key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
