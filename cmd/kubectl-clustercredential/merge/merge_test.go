// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package merge_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/clustercredential/operator/cmd/kubectl-clustercredential/merge"
)

// entry is one of ours, with a certificate of that text.
func entry(certificate string) merge.Entry {
	return merge.Entry{
		Name:    "fleet-prod",
		Cluster: &api.Cluster{Server: "https://prod.example.com:5443", CertificateAuthorityData: []byte("ca")},
		User:    &api.AuthInfo{ClientCertificateData: []byte(certificate), ClientKeyData: []byte("key of " + certificate)},
		Mark:    merge.Mark{Namespace: "fleet", Name: "prod", UID: "1"},
	}
}

// reread is what a file would give back.
func reread(t *testing.T, config *api.Config) *api.Config {
	t.Helper()
	text, err := clientcmd.Write(*config)
	if err != nil {
		t.Fatal(err)
	}
	read, err := clientcmd.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

func TestOursIsReplacedAndTheUsersNamespaceStays(t *testing.T) {
	config := api.NewConfig()
	if err := merge.Into(config, entry("old"), merge.Options{SetCurrent: true}); err != nil {
		t.Fatal(err)
	}
	config = reread(t, config)
	config.Contexts["fleet-prod"].Namespace = "kept"
	if err := merge.Into(config, entry("new"), merge.Options{}); err != nil {
		t.Fatal(err)
	}
	config = reread(t, config)
	if got := string(config.AuthInfos["fleet-prod"].ClientCertificateData); got != "new" {
		t.Errorf("the certificate is %q", got)
	}
	context := config.Contexts["fleet-prod"]
	if context.Namespace != "kept" || context.Cluster != "fleet-prod" || config.CurrentContext != "fleet-prod" {
		t.Errorf("the context is %+v, the current one %q", context, config.CurrentContext)
	}
}

func TestWhatIsSomebodyElsesIsLeftAlone(t *testing.T) {
	for _, test := range []struct {
		name    string
		change  func(*api.Config)
		refused string // the kind of entry; empty: it is taken for ours
	}{
		{"a cluster with another server and no mark", func(c *api.Config) {
			c.Clusters["fleet-prod"] = &api.Cluster{Server: "https://theirs.example.com"}
		}, "cluster"},
		{"a cluster with another CA and no mark", func(c *api.Config) {
			c.Clusters["fleet-prod"] = &api.Cluster{Server: "https://prod.example.com:5443", CertificateAuthorityData: []byte("x")}
		}, "cluster"},
		{"a user with a token", func(c *api.Config) { c.AuthInfos["fleet-prod"] = &api.AuthInfo{Token: "t"} }, "user"},
		{"a user whose mark was dropped by another tool, with an older certificate", func(c *api.Config) {
			c.AuthInfos["fleet-prod"] = entry("older").User
		}, "user"},
		{"a context of that name for another cluster", func(c *api.Config) {
			c.Contexts["fleet-prod"] = &api.Context{Cluster: "theirs", AuthInfo: "fleet-prod"}
		}, "context"},
		{"the entries of the same name in another hub", func(c *api.Config) {
			theirs := entry("old")
			theirs.Mark.UID = "2"
			if err := merge.Into(c, theirs, merge.Options{Overwrite: true}); err != nil {
				panic(err)
			}
		}, "cluster"},
		{"entries that say the same and have lost their marks", func(c *api.Config) {
			c.Clusters["fleet-prod"], c.AuthInfos["fleet-prod"] = entry("new").Cluster, entry("new").User
			c.Contexts["fleet-prod"] = &api.Context{Cluster: "fleet-prod", AuthInfo: "fleet-prod"}
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := api.NewConfig()
			test.change(config)
			config = reread(t, config)
			before := config.DeepCopy()
			err := merge.Into(config, entry("new"), merge.Options{SetCurrent: true})
			taken, isTaken := errors.AsType[*merge.TakenError](err)
			if test.refused == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !isTaken || taken.Kind != test.refused || !strings.Contains(err.Error(), "--overwrite") {
				t.Fatalf("want a refusal about the %s, got %v", test.refused, err)
			}
			if diff := cmp.Diff(before, config); diff != "" {
				t.Error("it was refused, and something has changed:", diff)
			}
			if err := merge.Into(config, entry("new"), merge.Options{Overwrite: true}); err != nil {
				t.Error(err)
			}
		})
	}
}
