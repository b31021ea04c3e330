// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"slices"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core"
	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3/model"

	"github.com/clustercredential/operator/controllers/issuer"
)

// errorStatus lets the phase Error be told as such: without it the API says Deleting
// (model.ShowClusterRequest of the SDK).
func errorStatus() *string { return new("true") }

// ClusterByID reads one cluster.
func (a *account) ClusterByID(
	ctx context.Context, clusterType issuer.ClusterType, id string,
) (issuer.Cluster, error) {
	if err := checkCluster(clusterType, id); err != nil {
		return issuer.Cluster{}, err
	}
	ctx, cancel := a.bound(ctx)
	defer cancel()
	projectID, err := a.project(ctx)
	if err != nil {
		return issuer.Cluster{}, err
	}
	cluster, _, err := ask(ctx, a, showCluster, projectID,
		func(client *core.HcHttpClient) (issuer.Cluster, error) {
			cluster, err := show(sdk.NewCceClient(client), clusterType, id)
			if err == nil && cluster.ID != id {
				return issuer.Cluster{}, unusable("the answer is about another cluster, or about none")
			}
			return cluster, err
		})
	return cluster, err
}

// ClusterByName lists the clusters, since the API has no filter by name, and takes the
// one whose metadata.name is name. The alias does not count: people may change it.
func (a *account) ClusterByName(
	ctx context.Context, clusterType issuer.ClusterType, name string,
) (issuer.Cluster, error) {
	if err := checkType(clusterType); err != nil {
		return issuer.Cluster{}, err
	}
	if name == "" {
		return issuer.Cluster{}, rejected("the cluster has neither an id nor a name")
	}
	ctx, cancel := a.bound(ctx)
	defer cancel()
	projectID, err := a.project(ctx)
	if err != nil {
		return issuer.Cluster{}, err
	}
	named, _, err := ask(ctx, a, listClusters, projectID,
		func(client *core.HcHttpClient) ([]issuer.Cluster, error) {
			return listNamed(sdk.NewCceClient(client), clusterType, name)
		})
	if err != nil {
		return issuer.Cluster{}, err
	}
	return theOne(named)
}

// Clusters lists all clusters of a type.
func (a *account) Clusters(ctx context.Context, clusterType issuer.ClusterType) ([]issuer.Cluster, error) {
	if err := checkType(clusterType); err != nil {
		return nil, err
	}
	ctx, cancel := a.bound(ctx)
	defer cancel()
	projectID, err := a.project(ctx)
	if err != nil {
		return nil, err
	}
	clusters, _, err := ask(ctx, a, listClusters, projectID, func(client *core.HcHttpClient) ([]issuer.Cluster, error) {
		return list(sdk.NewCceClient(client), clusterType)
	})
	return slices.DeleteFunc(clusters, func(c issuer.Cluster) bool { return c.ID == "" }), err
}

// Check lists the clusters that are being created, usually none: the smallest signed
// answer that still tells whether the key is right, may list clusters, and belongs to
// the project.
func (a *account) Check(ctx context.Context) error {
	ctx, cancel := a.bound(ctx)
	defer cancel()
	projectID, err := a.project(ctx)
	if err != nil {
		return err
	}
	_, _, err = ask(ctx, a, listClusters, projectID,
		func(client *core.HcHttpClient) ([]issuer.Cluster, error) {
			creating := model.GetListClustersRequestStatusEnum().CREATING
			return listStandard(sdk.NewCceClient(client), &model.ListClustersRequest{Status: &creating})
		})
	return err
}

func checkCluster(clusterType issuer.ClusterType, id string) error {
	if !isClusterID(id) {
		return rejected("the cluster's id must be a UUID in lower case")
	}
	return checkType(clusterType)
}

func checkType(clusterType issuer.ClusterType) error {
	if clusterType != issuer.Standard && clusterType != issuer.Autopilot {
		return rejected("the cluster's type must be Standard or Autopilot")
	}
	return nil
}

// theOne picks the only cluster of a name, and names the candidates if there are more.
func theOne(named []issuer.Cluster) (issuer.Cluster, error) {
	switch len(named) {
	case 0:
		return issuer.Cluster{}, &issuer.Error{
			Kind:    issuer.NotFound,
			Message: "CCE knows no cluster of this name (its immutable name, not its alias): check name, type, project and region",
		}
	case 1:
		return named[0], nil
	}
	ids := make([]string, 0, len(named))
	for _, cluster := range named {
		ids = append(ids, cluster.ID)
	}
	slices.Sort(ids)
	return issuer.Cluster{}, &issuer.Error{
		Kind: issuer.Ambiguous, Message: "several clusters carry this name: write the id", Candidates: ids,
	}
}
