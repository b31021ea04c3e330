// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// APIFault is a way in which a request to the API server fails, or is answered as if it had failed.
type APIFault struct {
	Name string
	// Err is what the caller gets.
	Err error
	// After is true where the request is carried out first.
	After bool
}

// APIFaults are all ways. What can be true of a request that was carried out as well as of one that was not comes twice.
func APIFaults() []APIFault {
	refused := []APIFault{
		{Name: "too many requests", Err: apierrors.NewTooManyRequests("the server is busy", 1)},
		{Name: "unavailable", Err: apierrors.NewServiceUnavailable("no endpoints")},
		{Name: "unauthorized", Err: apierrors.NewUnauthorized("the token has expired")},
		{Name: "forbidden", Err: Forbidden()},
		{Name: "invalid", Err: Invalid()},
	}
	unclear := []APIFault{
		{Name: "connection reset", Err: ConnectionReset()},
		{Name: "deadline exceeded", Err: &url.Error{Op: "Put", URL: "https://127.0.0.1", Err: context.DeadlineExceeded}},
		{Name: "server timeout", Err: apierrors.NewServerTimeout(corev1.Resource("secrets"), "update", 1)},
		{Name: "gateway timeout", Err: apierrors.NewTimeoutError("the request did not complete in time", 1)},
		{Name: "internal error", Err: apierrors.NewInternalError(errors.New("etcdserver: leader changed"))},
	}
	carriedOut := slices.Clone(unclear)
	for i := range carriedOut {
		carriedOut[i].Name, carriedOut[i].After = carriedOut[i].Name+" after the fact", true
	}
	return slices.Concat(refused, unclear, carriedOut)
}

// ConnectionReset is what a client sees of a server that has just gone.
func ConnectionReset() error {
	return &url.Error{Op: "Put", URL: "https://127.0.0.1", Err: syscall.ECONNRESET}
}

// Invalid is what the API server says where a webhook or a policy refuses an object.
func Invalid() error {
	return apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind(KindSecret).GroupKind(), "x", field.ErrorList{
		field.Invalid(field.NewPath("metadata", "labels"), "x", "refused by a policy"),
	})
}

// AlreadyExists is what the API server says to a creation under a name that is taken.
func AlreadyExists() error { return apierrors.NewAlreadyExists(corev1.Resource("secrets"), "x") }
