// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

// Package merge puts one cluster, user and context into a kubeconfig, and takes nothing from anybody.
package merge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Extension is the name of the extension that marks entries of ours.
const Extension = "clustercredential.dev"

// Mark says whose an entry is. The UID tells hubs apart, and objects that were made anew.
type Mark struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
}

// Entry is what is merged: a cluster and a user, and a context for both, all under one name.
type Entry struct {
	Name    string
	Cluster *api.Cluster
	User    *api.AuthInfo
	Mark    Mark
}

// Options say how.
type Options struct {
	// Overwrite replaces entries of somebody else.
	Overwrite bool
	// SetCurrent makes the entry's context the current one.
	SetCurrent bool
}

// TakenError says that an entry of that name is somebody else's.
type TakenError struct {
	Kind, Name string
	// Holder is whose mark it carries; nil: none.
	Holder *Mark
}

// Error says what to do.
func (e *TakenError) Error() string {
	holder := "is not this ClusterCredential's"
	if e.Holder != nil {
		holder = fmt.Sprintf("belongs to another ClusterCredential (%s/%s of another hub, or of the same before it was made anew)", e.Holder.Namespace, e.Holder.Name)
	}
	return fmt.Sprintf("the file has a %s %q already, which %s: give another --name, or --overwrite", e.Kind, e.Name, holder)
}

// Into puts the entry into a kubeconfig. An entry of that name is replaced if it carries our mark, or says the same. On an error
// nothing is changed.
func Into(config *api.Config, entry Entry, o Options) error {
	mark, err := entry.Mark.encoded()
	if err != nil {
		return err
	}
	context := api.NewContext()
	context.Cluster, context.AuthInfo = entry.Name, entry.Name
	if !o.Overwrite {
		if err := entry.mayTake(config, context); err != nil {
			return err
		}
	}
	if before := config.Contexts[entry.Name]; before != nil {
		context.Namespace = before.Namespace // which is the user's choice
	}
	cluster, user := entry.Cluster.DeepCopy(), entry.User.DeepCopy()
	for _, extensions := range []*map[string]runtime.Object{&cluster.Extensions, &user.Extensions, &context.Extensions} {
		*extensions = map[string]runtime.Object{Extension: mark}
	}
	config.Clusters[entry.Name], config.AuthInfos[entry.Name], config.Contexts[entry.Name] = cluster, user, context
	if o.SetCurrent {
		config.CurrentContext = entry.Name
	}
	return nil
}

// mayTake looks at each of the three entries of that name.
func (e Entry) mayTake(config *api.Config, context *api.Context) error {
	if before := config.Clusters[e.Name]; before != nil {
		if err := e.owns("cluster", before.Extensions, sameCluster(before, e.Cluster)); err != nil {
			return err
		}
	}
	if before := config.AuthInfos[e.Name]; before != nil {
		if err := e.owns("user", before.Extensions, sameUser(before, e.User)); err != nil {
			return err
		}
	}
	if before := config.Contexts[e.Name]; before != nil {
		same := before.Cluster == context.Cluster && before.AuthInfo == context.AuthInfo
		return e.owns("context", before.Extensions, same)
	}
	return nil
}

func (e Entry) owns(kind string, extensions map[string]runtime.Object, same bool) error {
	holder := markIn(extensions)
	if holder == nil && same || holder != nil && *holder == e.Mark {
		return nil
	}
	return &TakenError{Kind: kind, Name: e.Name, Holder: holder}
}

// sameCluster says whether an entry without a mark leads to the very same server, verified in the same way.
func sameCluster(a, b *api.Cluster) bool {
	return a.Server == b.Server && bytes.Equal(a.CertificateAuthorityData, b.CertificateAuthorityData) && a.CertificateAuthority == "" &&
		a.InsecureSkipTLSVerify == b.InsecureSkipTLSVerify && a.TLSServerName == b.TLSServerName && a.ProxyURL == b.ProxyURL
}

// sameUser says whether an entry without a mark logs in as the very same.
func sameUser(a, b *api.AuthInfo) bool {
	plain := func(u *api.AuthInfo) *api.AuthInfo {
		u = u.DeepCopy()
		u.Extensions, u.LocationOfOrigin = nil, ""
		if u.Exec != nil {
			u.Exec.InstallHint, u.Exec.StdinUnavailable, u.Exec.StdinUnavailableMessage = "", false, ""
		}
		return u
	}
	return reflect.DeepEqual(plain(a), plain(b))
}

func (m Mark) encoded() (runtime.Object, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return &runtime.Unknown{Raw: text, ContentType: runtime.ContentTypeJSON}, nil
}

func markIn(extensions map[string]runtime.Object) *Mark {
	extension, ok := extensions[Extension].(*runtime.Unknown)
	if !ok {
		return nil
	}
	mark := &Mark{}
	if json.Unmarshal(extension.Raw, mark) != nil {
		return nil
	}
	return mark
}
