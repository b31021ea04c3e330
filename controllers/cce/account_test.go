// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3"

	"github.com/clustercredential/operator/controllers/issuer"
)

func TestAPanicOfTheSDKIsAnError(t *testing.T) {
	fake := newFakeCloud(t, answer(200, kubeconfigAnswer))
	a := cloudAt(t, fake.URL).(*account)
	for name, test := range map[string]struct {
		send   func(*core.HcHttpClient) (string, error)
		kind   issuer.Kind
		unsure bool
	}{
		"before the request": {func(*core.HcHttpClient) (string, error) { panic("canary-remote") }, issuer.Unavailable, false},
		"after the answer": {func(client *core.HcHttpClient) (string, error) {
			if _, err := certOfStandard(sdk.NewCceClient(client), byDays); err != nil {
				t.Error(err)
			}
			panic("canary-remote")
		}, issuer.InvalidResponse, true},
		"in the SDK itself": {func(client *core.HcHttpClient) (string, error) {
			_, err := sdk.NewCceClient(client).ShowCluster(nil)
			return "", err
		}, issuer.Unavailable, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := ask(context.Background(), a, issueCert, testProject, test.send)
			if e := fault(t, err); e.Kind != test.kind || e.MayHaveIssued != test.unsure {
				t.Errorf("%v %+v", e.Kind, e)
			}
			assertNoCanary(t, err.Error())
		})
	}
}

func TestAnAttemptIsUsedOnce(t *testing.T) {
	fake := newFakeCloud(t, answer(200, kubeconfigAnswer))
	a := cloudAt(t, fake.URL).(*account)
	_, _, err := ask(context.Background(), a, issueCert, testProject,
		func(client *core.HcHttpClient) (issuer.Sensitive, error) {
			_, _ = certOfStandard(sdk.NewCceClient(client), byDays)
			return certOfStandard(sdk.NewCceClient(client), byDays)
		})
	if e := fault(t, err); !e.MayHaveIssued || len(fake.requests()) != 1 {
		t.Errorf("%+v, %d requests", e, len(fake.requests()))
	}
}
