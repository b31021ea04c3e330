// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package commands

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// hub is how the user reaches the cluster that ClusterCredentials live in: by the same flags, files and variables as kubectl.
type hub struct {
	IO
	rules     *clientcmd.ClientConfigLoadingRules
	overrides *clientcmd.ConfigOverrides
	// flags are those that say how.
	flags *pflag.FlagSet
	// config is for tests; nil: what the flags say.
	config func() (*rest.Config, error)
}

func newHub(io IO) *hub {
	h := &hub{
		IO: io, rules: clientcmd.NewDefaultClientConfigLoadingRules(), overrides: &clientcmd.ConfigOverrides{},
		flags: pflag.NewFlagSet("hub", pflag.ContinueOnError),
	}
	h.rules.DefaultClientConfig = &clientcmd.DefaultClientConfig
	return h
}

// bind adds kubectl's flags to a command and to those below it.
func (h *hub) bind(root *cobra.Command) {
	h.flags.StringVar(&h.rules.ExplicitPath, clientcmd.RecommendedConfigPathFlag, "", "kubeconfig file of the hub")
	clientcmd.BindOverrideFlags(h.overrides, h.flags, clientcmd.RecommendedConfigOverrideFlags(""))
	root.PersistentFlags().AddFlagSet(h.flags)
	_ = root.RegisterFlagCompletionFunc("namespace", h.completeNamespaces) // both flags exist
	_ = root.RegisterFlagCompletionFunc("context", h.completeContexts)
}

func (h *hub) clientConfig() clientcmd.ClientConfig {
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(h.rules, h.overrides)
}

// session is the hub with somebody logged in.
type session struct {
	client.Client
	*hub
	// namespace is the one of -n, or of the context.
	namespace string
}

func (h *hub) connect() (*session, error) {
	read := h.clientConfig().ClientConfig
	if h.config != nil {
		read = h.config
	}
	config, err := read()
	if err != nil {
		return nil, fmt.Errorf("find the hub (--kubeconfig, KUBECONFIG, --context): %w", err)
	}
	config.UserAgent = "kubectl-clustercredential/" + h.Version
	config.QPS = -1 // one user, few requests
	namespace, _, err := h.clientConfig().Namespace()
	if err != nil {
		return nil, fmt.Errorf("find the namespace (-n): %w", err)
	}
	scheme, mapper, err := kinds()
	if err != nil {
		return nil, err
	}
	c, err := client.New(config, client.Options{Scheme: scheme, Mapper: mapper})
	if err != nil {
		return nil, fmt.Errorf("make a client for the hub: %w", err)
	}
	return &session{Client: c, hub: h, namespace: namespace}, nil
}

// kinds are those that the plugin knows. Their resources are given, so that nobody has to ask the API server for all that it has:
// exec-credential stands in the way of every login.
func kinds() (*runtime.Scheme, meta.RESTMapper, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, nil, err
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, kind := range []string{"ClusterCredential", "CloudAccount", "CredentialGrant"} {
		mapper.Add(v1alpha1.GroupVersion.WithKind(kind), meta.RESTScopeNamespace)
	}
	mapper.Add(v1alpha1.GroupVersion.WithKind("ClusterCloudAccount"), meta.RESTScopeRoot)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Secret"), meta.RESTScopeNamespace)
	mapper.Add(corev1.SchemeGroupVersion.WithKind("Namespace"), meta.RESTScopeRoot)
	return scheme, mapper, nil
}

func (s *session) key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: s.namespace, Name: name}
}
