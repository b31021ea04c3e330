// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/clustercredential/operator/controllers/issuer"
)

const (
	// maxSources bounds the ways to temporary keys that are kept. A few are usual.
	maxSources = 256
	// maxTokenFile bounds a file with a token: the SDK reads all of it.
	maxTokenFile = 64 << 10
	// maxIdpID is that of spec.auth.oidc.idpID.
	maxIdpID = 64
)

// The variables that CCE sets in a Pod whose ServiceAccount is associated with an agency
// (core/auth/provider/pod_identity_provider.go of the SDK).
const (
	podIdentityURI       = "HC_CONTAINER_CREDENTIALS_FULL_URI"
	podIdentityTokenFile = "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE"
)

// metadataAddress is where ECS has its metadata service, for the SDK too
// (core/auth/internal/metadata_accessor.go).
const metadataAddress = "http://169.254.169.254"

// whatToCheck says what a way to a key is made of.
var whatToCheck = map[issuer.KeylessMethod]string{
	issuer.PodIdentity: "check that the operator's ServiceAccount is associated with an agency in CCE, and that its Pod, which must be " +
		"younger than that, has the variables " + podIdentityURI + " and " + podIdentityTokenFile,
	issuer.InstanceMetadata: "check that the ECS instance has an agency, and that network policies let the Pod reach 169.254.169.254",
	issuer.OIDC: "check the identity provider in IAM, that the token file holds a token that is meant for it and not expired, " +
		"and the IAM endpoint",
}

// noKey says that a way gives no key, why, and what to check. The text is ours.
func noKey(method issuer.KeylessMethod, why string) *issuer.Error {
	return &issuer.Error{Kind: issuer.Unavailable, Message: string(method) + " gives no key, since " + why + ": " + whatToCheck[method]}
}

// noneHere is noKey for what lies at the Pod or at who may log in: somebody has to act, and it is looked at again soon.
func noneHere(method issuer.KeylessMethod, why string) *issuer.Error {
	e := noKey(method, why)
	e.Kind, e.Obtained = issuer.Unauthorized, true
	return e
}

// sourceID tells sources apart: keys are shared by those only who would obtain them in
// the same way, from the same place.
type sourceID struct {
	keyless issuer.Keyless
	at      place
}

// sourceOf finds the source of an account's keys; nil for one that has a key itself.
func (d *Dialer) sourceOf(a *account) *source {
	if a.key.Keyless.Method == "" {
		return nil
	}
	id := sourceID{keyless: a.key.Keyless, at: place{iam: a.at.iam, authorities: a.at.authorities}}
	found, _ := d.sources.get(id, func() (*source, error) { return d.newSource(a.key.Keyless, a.at.iam, a.transport), nil })
	return found
}

func (d *Dialer) newSource(keyless issuer.Keyless, iam string, transport *http.Transport) *source {
	s := &source{method: keyless.Method}
	switch keyless.Method {
	case issuer.PodIdentity:
		s.fetch = keyOfPod
	case issuer.InstanceMetadata:
		s.fetch = keyOfInstance
	default:
		s.fetch = federation{keyless: keyless, iam: iam, transport: transport, userAgent: d.userAgent}.key
	}
	return s
}

// checkKeyless accepts a way to a key, and no key beside it.
func checkKeyless(key issuer.Key) error {
	ofOIDC := key.Keyless.IdpID != "" || key.Keyless.TokenFile != ""
	switch {
	case key.ID != "" || len(key.Secret)+len(key.SecurityToken)+len(key.Token) > 0:
		return rejected("give either a key or the way in which the operator obtains one, not both")
	case key.Keyless.Method == issuer.OIDC:
		return checkOIDC(key.Keyless)
	case key.Keyless.Method != issuer.PodIdentity && key.Keyless.Method != issuer.InstanceMetadata:
		return rejected("the operator obtains keys by podIdentity, instanceMetadata or oidc")
	case ofOIDC:
		return rejected("an identity provider and a token file are for oidc only")
	}
	return nil
}

// checkOIDC is as strict as spec.auth.oidc is about the id, which becomes a header. Which
// files may be shown to an identity provider is for the API to say.
func checkOIDC(keyless issuer.Keyless) error {
	const idBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	switch {
	case len(keyless.IdpID) > maxIdpID || !madeOf(keyless.IdpID, idBytes):
		return rejected("the id of the identity provider must be letters, digits, '-' and '_', at most 64 of them")
	case !filepath.IsAbs(keyless.TokenFile) || filepath.Clean(keyless.TokenFile) != keyless.TokenFile || !isPrintable(keyless.TokenFile):
		return rejected("the token file must be an absolute path without '..'")
	}
	return nil
}

// tokenFileFault says what is wrong with a file that holds a token; empty: nothing.
func tokenFileFault(path string) string {
	info, err := os.Stat(path) //nolint:gosec // the path is the administrator's, or CCE's in a variable
	switch {
	case err != nil:
		return "the token file cannot be read"
	case !info.Mode().IsRegular() || info.Size() > maxTokenFile:
		return "the token file is no file of at most 64 KiB"
	}
	text, err := os.ReadFile(path) //nolint:gosec // as above
	switch {
	case err != nil:
		return "the token file cannot be read"
	case strings.TrimSpace(string(text)) == "":
		return "the token file is empty"
	case !isPrintable(strings.TrimSpace(string(text))):
		return "the token file holds something else than a token"
	}
	return ""
}
