// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package controllers_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/controllers"
)

// versions answers each list with the next of some resourceVersions; an empty one is an error. After the last it ends the run.
type versions struct {
	client.Reader
	left []string
	end  context.CancelFunc
}

func (v *versions) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	if len(v.left) == 0 {
		v.end()
		return errors.New("no more")
	}
	next := v.left[0]
	v.left = v.left[1:]
	if next == "" {
		return errors.New("away")
	}
	list.SetResourceVersion(next)
	return nil
}

func TestTheProcessEndsOnceTheAPIServersVersionGoesBack(t *testing.T) {
	for name, test := range map[string]struct {
		seen []string
		ends bool
	}{
		"it goes on":                            {[]string{"9", "10", "11"}, false},
		"it stands still":                       {[]string{"10", "10"}, false},
		"it goes back":                          {[]string{"10", "9"}, true},
		"it goes back while it is away":         {[]string{"10", "", "", "9"}, true},
		"it was away from the beginning":        {[]string{"", "10", "11"}, false},
		"it goes on while it is away":           {[]string{"10", "", "1000"}, false},
		"what is no number is no news":          {[]string{"10", "x", "11"}, false},
		"it goes on first, and back afterwards": {[]string{"10", "12", "11"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			watch := &controllers.Rollback{Live: &versions{left: test.seen, end: cancel}, Every: time.Microsecond}
			if err := watch.Start(ctx); (err != nil) != test.ends {
				t.Errorf("it ended with %v", err)
			}
		})
	}
	if new(controllers.Rollback).NeedLeaderElection() {
		t.Error("a standby does not look, and would lead with an old cache")
	}
}
