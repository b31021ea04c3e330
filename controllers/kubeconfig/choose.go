// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import "strings"

// Access is a way to a cluster's API server, spelled as in ClusterCredential. The
// empty Access in a Wish means Auto.
type Access string

// The ways. Auto is for a Wish only, Custom for a result only.
const (
	Auto     Access = "Auto"
	Internal Access = "Internal"
	External Access = "External"
	Custom   Access = "Custom"
)

// Wish is what the user asks for, and what was chosen before.
type Wish struct {
	// Access is Auto (unset: this), Internal or External.
	Access Access
	// Context names one context and overrides Access. Unset: Access decides.
	Context string
	// Kept is the choice that was made before, for Auto: it stays while it is on offer,
	// since hubs know a cluster by its URL. Anything but Internal and External is none.
	Kept Access
	// AllowInsecure lets a context without TLS verification be taken where there is no verified one.
	AllowInsecure bool
}

// AccessOf tells which way a context is. CCE's API reference knows the names internal
// and external, its answers also carry externalTLSVerify and customSAN-0, customSAN-1
// and so on; every other name is a custom one.
func AccessOf(contextName string) Access {
	switch {
	case contextName == "internal":
		return Internal
	case strings.HasPrefix(contextName, "external"):
		return External
	}
	return Custom
}

// Choose picks the context to publish, which is a verified one unless the wish allows others, and says
// which way it is. It looks at Name and Verified only, so that contexts remembered
// without their CA can be chosen from as well. The error is a *ChoiceError.
func Choose(contexts []Context, wish Wish) (Context, Access, error) {
	if wish.Context != "" {
		return chooseNamed(contexts, wish)
	}
	for _, insecure := range []bool{false, true} {
		for _, access := range wish.order() {
			for _, context := range contexts {
				if AccessOf(context.Name) == access && (context.Verified || insecure && wish.AllowInsecure) {
					return context, access, nil
				}
			}
		}
	}
	return Context{}, "", accessError(contexts, wish)
}

// order returns the ways that serve the wish, the best first.
func (w Wish) order() []Access {
	switch {
	case w.Access != Auto && w.Access != "":
		return []Access{w.Access}
	case w.Kept == Internal:
		return []Access{Internal, External}
	}
	return []Access{External, Internal}
}

func chooseNamed(contexts []Context, wish Wish) (Context, Access, error) {
	name := wish.Context
	for _, context := range contexts {
		if context.Name != name {
			continue
		}
		if !context.Verified && !wish.AllowInsecure {
			return Context{}, "", insecureContext(contexts, name)
		}
		return context, AccessOf(name), nil
	}
	return Context{}, "", missingContext(contexts, name)
}
