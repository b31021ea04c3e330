// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"encoding/base64"
	"net/url"
	"strings"

	sdk "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/cce/v3/model"

	"github.com/clustercredential/operator/controllers/issuer"
)

// Everything in an answer may be missing. What is shown to people later is taken only
// if it has the form that it should have.

func show(client *sdk.CceClient, clusterType issuer.ClusterType, id string) (issuer.Cluster, error) {
	if clusterType == issuer.Autopilot {
		answer, err := client.ShowAutopilotCluster(
			&model.ShowAutopilotClusterRequest{ClusterId: id, ErrorStatus: errorStatus()})
		if err != nil {
			return issuer.Cluster{}, err
		}
		return autopilotCluster(answer.Metadata, answer.Status), nil
	}
	answer, err := client.ShowCluster(&model.ShowClusterRequest{ClusterId: id, ErrorStatus: errorStatus()})
	if err != nil {
		return issuer.Cluster{}, err
	}
	cluster := standardCluster(answer.Metadata, answer.Status)
	if spec := answer.Spec; spec != nil && spec.CertificateAuthority != nil && spec.CertificateAuthority.Data != nil {
		cluster.CAPEM = authority(*spec.CertificateAuthority.Data)
	}
	return cluster, nil
}

// maxAuthority bounds the text of a cluster's CA, in base64.
const maxAuthority = 64 << 10 / 3 * 4

// authority decodes a CA; nil for what is none.
func authority(text string) []byte {
	if len(text) > maxAuthority {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return data
}

// list gives all clusters of a type.
func list(client *sdk.CceClient, clusterType issuer.ClusterType) ([]issuer.Cluster, error) {
	if clusterType == issuer.Autopilot {
		return listAutopilot(client)
	}
	return listStandard(client, &model.ListClustersRequest{ErrorStatus: errorStatus()})
}

func listNamed(client *sdk.CceClient, clusterType issuer.ClusterType, name string) ([]issuer.Cluster, error) {
	clusters, err := list(client, clusterType)
	if err != nil {
		return nil, err
	}
	var named []issuer.Cluster
	for _, cluster := range clusters {
		if cluster.Name != name {
			continue
		}
		if cluster.ID == "" {
			return nil, unusable("the answer has the cluster without a valid id")
		}
		named = append(named, cluster)
	}
	return named, nil
}

func listStandard(client *sdk.CceClient, request *model.ListClustersRequest) ([]issuer.Cluster, error) {
	answer, err := client.ListClusters(request)
	if err != nil {
		return nil, err
	}
	if answer.Items == nil {
		return nil, noList(answer.Kind)
	}
	clusters := make([]issuer.Cluster, 0, len(*answer.Items))
	for _, item := range *answer.Items {
		clusters = append(clusters, standardCluster(item.Metadata, item.Status))
	}
	return clusters, nil
}

func listAutopilot(client *sdk.CceClient) ([]issuer.Cluster, error) {
	answer, err := client.ListAutopilotClusters(&model.ListAutopilotClustersRequest{ErrorStatus: errorStatus()})
	if err != nil {
		return nil, err
	}
	if answer.Items == nil {
		return nil, noList(answer.Kind)
	}
	clusters := make([]issuer.Cluster, 0, len(*answer.Items))
	for _, item := range *answer.Items {
		clusters = append(clusters, autopilotCluster(item.Metadata, item.Status))
	}
	return clusters, nil
}

// noList tells an empty list, which a server may write as null, from an answer that is
// no list at all.
func noList(kind *string) error {
	if kind == nil {
		return unusable("the answer holds no list of clusters")
	}
	return nil
}

func standardCluster(metadata *model.ClusterMetadata, status *model.ClusterStatus) issuer.Cluster {
	var cluster issuer.Cluster
	if metadata != nil {
		cluster = describe(metadata.Uid, metadata.Name, metadata.Alias)
	}
	if status != nil {
		cluster.Phase = word(status.Phase)
		for _, endpoint := range all(status.Endpoints) {
			cluster.Endpoints = appendEndpoint(cluster.Endpoints, endpoint)
		}
	}
	return cluster
}

func autopilotCluster(metadata *model.AutopilotClusterMetadata, status *model.AutopilotClusterStatus) issuer.Cluster {
	var cluster issuer.Cluster
	if metadata != nil {
		cluster = describe(metadata.Uid, metadata.Name, metadata.Alias)
	}
	if status != nil {
		cluster.Phase = word(status.Phase)
		for _, endpoint := range all(status.Endpoints) {
			cluster.Endpoints = appendEndpoint(cluster.Endpoints, model.ClusterEndpoints(endpoint))
		}
	}
	return cluster
}

func describe(id *string, name string, alias *string) issuer.Cluster {
	cluster := issuer.Cluster{Name: word(&name), Alias: word(alias)}
	if id != nil && isClusterID(*id) {
		cluster.ID = *id
	}
	return cluster
}

// word gives names and phases, which are ASCII without spaces, and nothing else.
func word(text *string) string {
	if text == nil || len(*text) > 128 || !isPrintable(*text) || strings.Contains(*text, " ") {
		return ""
	}
	return *text
}

func all[T any](list *[]T) []T {
	if list == nil {
		return nil
	}
	return *list
}

// appendEndpoint leaves out what is no https://host[:port].
func appendEndpoint(list []issuer.Endpoint, endpoint model.ClusterEndpoints) []issuer.Endpoint {
	if endpoint.Url == nil {
		return list
	}
	u, err := url.Parse(*endpoint.Url)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return list
	}
	external := endpoint.Type != nil && strings.EqualFold(*endpoint.Type, "External")
	return append(list, issuer.Endpoint{URL: "https://" + u.Host, External: external})
}
