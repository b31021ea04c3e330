// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package stack

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// simFiles are what ccesim reads.
type simFiles struct{ file, caCert, caKey string }

// simConfig is the file of ccesim's --config.
type (
	simConfig struct {
		Keys     []simKey     `json:"keys"`
		Projects []simProject `json:"projects"`
		Clusters []SimCluster `json:"clusters"`
	}
	simKey struct {
		ID     string   `json:"id"`
		Secret string   `json:"secret"`
		UserID string   `json:"userID"`
		Groups []string `json:"groups"`
	}
	simProject struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
)

// newSimKey is the access key: its holder may do everything in the clusters, as the administrator of a CCE cluster may.
func newSimKey(secret string) simKey {
	return simKey{ID: AccessKey, Secret: secret, UserID: UserID, Groups: []string{"system:masters"}}
}

// writeSimConfig writes the configuration and the authority.
func (s *Stack) writeSimConfig(names []string) (simFiles, error) {
	c := simConfig{Keys: []simKey{newSimKey(SecretKey)}, Projects: []simProject{{ID: ProjectID, Name: Region}}}
	for _, name := range names {
		c.Clusters = append(c.Clusters, s.NewCluster(name))
	}
	text, err := json.Marshal(c)
	if err != nil {
		return simFiles{}, err
	}
	_, key, caCert := s.Kube.ClientCA()
	caKey, err := keyPEM(key)
	if err != nil {
		return simFiles{}, err
	}
	f := simFiles{filepath.Join(s.Dir, "ccesim.json"), filepath.Join(s.Dir, "ccesim-ca.crt"), filepath.Join(s.Dir, "ccesim-ca.key")}
	for name, data := range map[string][]byte{f.file: text, f.caCert: caCert, f.caKey: caKey} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			return simFiles{}, err
		}
	}
	return f, nil
}
