// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"encoding/json"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3/model"

	"github.com/clustercredential/operator/controllers/issuer"
)

// expireAtLayout is how the API wants expire_at, always in UTC
// (model.ClusterCertDuration of the SDK).
const expireAtLayout = "2006-01-02 15:04:05 +0000 UTC"

// Issue asks for one certificate with one POST.
func (a *account) Issue(ctx context.Context, request issuer.Request) (issuer.Issued, error) {
	if err := checkRequest(request); err != nil {
		return issuer.Issued{}, err
	}
	// What it takes to ask has its own bound, so that the answer has all of the other.
	before, cancel := a.bound(ctx)
	defer cancel()
	if _, err := a.signingKey(before); err != nil {
		return issuer.Issued{}, err
	}
	projectID, err := a.project(before)
	if err != nil {
		return issuer.Issued{}, err
	}
	ctx, cancel = a.bound(ctx)
	defer cancel()
	send := certOfStandard
	if request.ClusterType == issuer.Autopilot {
		send = certOfAutopilot
	}
	kubeconfig, requestID, err := ask(ctx, a, issueCert, projectID,
		func(client *core.HcHttpClient) (issuer.Sensitive, error) {
			return send(sdk.NewCceClient(client), request)
		})
	if err != nil {
		return issuer.Issued{}, err
	}
	return issuer.Issued{Kubeconfig: kubeconfig, RequestID: requestID}, nil
}

// checkRequest refuses what the cloud would refuse too, where no bound of the cloud
// must be known for it.
func checkRequest(request issuer.Request) error {
	if err := checkCluster(request.ClusterType, request.ClusterID); err != nil {
		return err
	}
	byTime := !request.ExpireAt.IsZero()
	switch {
	case byTime && request.Days != 0:
		return rejected("a certificate is asked for by days or by its expiry, not by both")
	case byTime && request.ClusterType == issuer.Autopilot:
		return rejected("Autopilot clusters take a validity in days only: write validity.days")
	case !byTime && request.Days < 1 && request.Days != -1:
		return rejected("validity.days must be 1 or more, or -1 for the longest that the cloud grants")
	}
	return nil
}

func certOfStandard(client *sdk.CceClient, request issuer.Request) (issuer.Sensitive, error) {
	duration := &model.ClusterCertDuration{Duration: &request.Days}
	if !request.ExpireAt.IsZero() {
		expireAt := request.ExpireAt.UTC().Format(expireAtLayout)
		duration = &model.ClusterCertDuration{ExpireAt: &expireAt}
	}
	answer, err := client.CreateKubernetesClusterCert(
		&model.CreateKubernetesClusterCertRequest{ClusterId: request.ClusterID, Body: duration})
	if err != nil {
		return nil, err
	}
	return kubeconfigOf(*answer)
}

func certOfAutopilot(client *sdk.CceClient, request issuer.Request) (issuer.Sensitive, error) {
	answer, err := client.CreateAutopilotKubernetesClusterCert(&model.CreateAutopilotKubernetesClusterCertRequest{
		ClusterId: request.ClusterID, Body: &model.CertDuration{Duration: request.Days}})
	if err != nil {
		return nil, err
	}
	return kubeconfigOf(model.CreateKubernetesClusterCertResponse(*answer))
}

// kubeconfigOf writes the answer as a kubeconfig. Port-ID is no part of one, and
// preferences are not used by CCE and may be anything.
func kubeconfigOf(answer model.CreateKubernetesClusterCertResponse) (issuer.Sensitive, error) {
	if answer.Clusters == nil && answer.Users == nil && answer.Contexts == nil {
		return nil, unusable("the answer holds no kubeconfig")
	}
	answer.PortID, answer.Preferences = nil, nil
	kubeconfig, err := json.Marshal(answer)
	if err != nil {
		return nil, unusable("the answer holds no kubeconfig")
	}
	return kubeconfig, nil
}
