// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"errors"
	"net/url"
	"os"
	"reflect"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/provider"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"

	"github.com/clustercredential/operator/controllers/issuer"
)

// Every key is obtained by credentials of the SDK that are new and thrown away: those
// that live on have fields that change without a lock.

const (
	unreadable = "the answer cannot be read"
	refused    = "it was refused"
)

// keyOfPod asks CCE pod identity. The SDK bounds it by 10s.
func keyOfPod(context.Context) (temporaryKey, error) {
	uri, file := os.Getenv(podIdentityURI), os.Getenv(podIdentityTokenFile)
	if uri == "" || file == "" {
		return temporaryKey{}, noneHere(issuer.PodIdentity, "the Pod lacks a variable")
	}
	if fault := tokenFileFault(file); fault != "" {
		return temporaryKey{}, noneHere(issuer.PodIdentity, fault)
	}
	return obtain(issuer.PodIdentity, provider.BasicCredentialPodIdentityProvider().GetCredentials)
}

// keyOfInstance asks the metadata service of ECS. The SDK bounds each of its requests by 3s.
func keyOfInstance(context.Context) (temporaryKey, error) {
	return obtain(issuer.InstanceMetadata, provider.BasicCredentialMetadataProvider().GetCredentials)
}

// obtain lets the SDK fetch a key. Of its errors nothing is shown but the status, since
// they quote what was answered.
func obtain(method issuer.KeylessMethod, get func() (auth.ICredential, error)) (temporaryKey, error) {
	credentials, err := obtained(get)
	if err != nil {
		why := whyNotObtained(method, err)
		e := noKey(method, why)
		if why == refused {
			e = noneHere(method, why)
		}
		if refusal, ok := errors.AsType[*sdkerr.ServiceResponseError](err); ok {
			e.Status = refusal.StatusCode
		}
		return temporaryKey{}, e
	}
	fresh, fault := read(credentials)
	if fault != "" {
		return temporaryKey{}, noKey(method, fault)
	}
	return fresh, nil
}

// whyNotObtained sorts the SDK's errors by their types: pod identity's of a refusal is the
// one that wraps nothing.
func whyNotObtained(method issuer.KeylessMethod, err error) string {
	if errors.Is(err, errRedirect) {
		return "the answer is a redirect"
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return "there was no answer"
	}
	answered, isRefusal := errors.AsType[*sdkerr.ServiceResponseError](err)
	if isRefusal && !isClientError(answered.StatusCode) {
		return "it cannot answer now"
	}
	if isRefusal || method == issuer.PodIdentity && !errors.Is(err, errPanic) && errors.Unwrap(err) == nil {
		return refused
	}
	return unreadable
}

var errPanic = errors.New("the SDK panicked")

// obtained turns a panic of the SDK, such as for the answer {}, into an error. The
// panic's text may quote the answer and is dropped.
func obtained(get func() (auth.ICredential, error)) (credentials *basic.Credentials, err error) {
	defer func() {
		if recover() != nil {
			credentials, err = nil, errPanic
		}
	}()
	found, err := get()
	if err != nil {
		return nil, err
	}
	credentials, ok := found.(*basic.Credentials)
	if !ok {
		return nil, errPanic
	}
	return credentials, nil
}

// read takes the key out of the SDK's credentials, or says why it cannot be used. When
// it ends the SDK knows and does not tell, so its field is read by reflection; without
// that a key would be used that has ended, or none for as long as one is good.
func read(credentials *basic.Credentials) (fresh temporaryKey, fault string) {
	key := issuer.Key{
		ID:            credentials.AK,
		Secret:        issuer.Sensitive(credentials.SK),
		SecurityToken: issuer.Sensitive(credentials.SecurityToken),
	}
	seconds := reflect.ValueOf(credentials).Elem().FieldByName("expireAt")
	if len(key.SecurityToken) == 0 || checkKey(key) != nil || !seconds.IsValid() || seconds.Kind() != reflect.Int64 {
		return temporaryKey{}, unreadable
	}
	ends := time.Unix(seconds.Int(), 0)
	if !time.Now().Before(ends) {
		return temporaryKey{}, "the key that it gives has ended already by the clock of this machine"
	}
	return temporaryKey{key: key, ends: ends}, ""
}
