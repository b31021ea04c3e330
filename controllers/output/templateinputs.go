// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package output

import (
	"time"

	"sigs.k8s.io/yaml"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/controllers/kubeconfig"
)

const (
	inputClusterName    = "clusterName"
	inputKeyPEM         = "keyPEM"
	inputKubeconfig     = "kubeconfig"
	inputKubeconfigJSON = "kubeconfigJSON"
	inputArgoCDConfig   = "argocdConfig"
)

// inputNames are all inputs, in the order in which the docs have them.
var inputNames = []string{
	"server", "host", "port", "caPEM", "certPEM", inputKeyPEM, "tlsServerName", "proxyURL", inputKubeconfig, inputKubeconfigJSON,
	inputArgoCDConfig, inputClusterName, "clusterID", "projectID", "region", "access", "name", "namespace", "notBefore", "notAfter",
	"serial", "fingerprintSHA256", "commonName",
}

// secretInputs are those that hold the private key. The names of keys stand in managedFields, in logs and in the output of
// kubectl describe, so the templates of keys do not get these.
var secretInputs = []string{inputKeyPEM, inputKubeconfig, inputKubeconfigJSON, inputArgoCDConfig}

// inputsOf gives every name of inputNames a value, which may be empty. All are strings: a template can neither call anything
// through them nor reach anything else.
func inputsOf(c kubeconfig.Credential, o v1alpha1.Output, facts Facts) (map[string]string, error) {
	clusterName := facts.ClusterName(o)
	asYAML, err := kubeconfig.Render(clusterName, c)
	if err != nil {
		return nil, err
	}
	asJSON, err := yaml.YAMLToJSON(asYAML)
	if err != nil {
		return nil, &TemplateError{Detail: "the kubeconfig cannot be written as JSON"} // err may quote it
	}
	argoCD, err := argoCDConfigOf(c)
	if err != nil {
		return nil, &TemplateError{Detail: "the configuration for Argo CD cannot be written"}
	}
	return map[string]string{
		"server": c.Server, "host": c.Host(), "port": c.Port(), "tlsServerName": c.TLSServerName, "proxyURL": c.ProxyURL,
		"caPEM": string(c.CAPEM), "certPEM": string(c.CertPEM), inputKeyPEM: string(c.KeyPEM.Reveal()),
		inputKubeconfig: string(asYAML), inputKubeconfigJSON: string(asJSON), inputArgoCDConfig: string(argoCD.Reveal()),
		inputClusterName: clusterName, "clusterID": facts.ClusterID, "projectID": facts.ProjectID, "region": facts.Region,
		"access": facts.Access, "name": facts.Name, "namespace": facts.Namespace,
		"notBefore": c.NotBefore.UTC().Format(time.RFC3339), "notAfter": c.NotAfter.UTC().Format(time.RFC3339),
		"serial": c.SerialNumber, "fingerprintSHA256": c.Fingerprint, "commonName": c.CommonName,
	}, nil
}
