// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package kubeconfig

import (
	"fmt"
	"slices"
	"strings"
)

// ChoiceKind says why no context was chosen; it is spelled as the reason of the
// condition that tells the user.
type ChoiceKind string

// The kinds.
const (
	// InsecureEndpoint: what was asked for is on offer, without TLS verification only.
	InsecureEndpoint ChoiceKind = "InsecureEndpoint"
	// ContextNotFound: what was asked for is not on offer.
	ContextNotFound ChoiceKind = "ContextNotFound"
)

// ChoiceError says what is on offer and what to write in spec.endpoint. It will not
// go away before the spec or the cluster's addresses change.
type ChoiceError struct {
	Kind ChoiceKind
	// Message is for users: our words, the wish, and names of contexts, of which Parse
	// lets only plain ones through. Lower case, without a full stop.
	Message string
}

// Error returns the message.
func (e *ChoiceError) Error() string { return e.Message }

// maxListed is how many contexts a message lists.
const maxListed = 8

func missingContext(contexts []Context, name string) *ChoiceError {
	return &ChoiceError{ContextNotFound, fmt.Sprintf(
		"the cloud does not offer the context %q of spec.endpoint.context; %s; %s",
		name, offered(contexts), adviceByName(contexts))}
}

func insecureContext(contexts []Context, name string) *ChoiceError {
	return &ChoiceError{InsecureEndpoint, fmt.Sprintf(
		"the context %q of spec.endpoint.context comes without TLS verification and is not published; %s; %s; %s",
		name, offered(contexts), adviceByName(contexts), insecureAdvice)}
}

// accessError tells why no context serves wish.Access.
func accessError(contexts []Context, wish Wish) *ChoiceError {
	wanted := wish.order()
	insecure := slices.ContainsFunc(contexts, func(c Context) bool {
		return slices.Contains(wanted, AccessOf(c.Name))
	})
	access := string(wish.Access)
	if access == "" {
		access = string(Auto)
	}
	if insecure {
		return &ChoiceError{InsecureEndpoint, fmt.Sprintf(
			"for spec.endpoint.access %s the cloud offers only addresses without TLS verification, which are not published; %s; %s; %s",
			access, offered(contexts), advice(contexts), insecureAdvice)}
	}
	message := fmt.Sprintf("the cloud offers no address for spec.endpoint.access %s; %s; %s",
		access, offered(contexts), advice(contexts))
	if wish.Access == External {
		message += ", or bind an EIP to the cluster"
	}
	return &ChoiceError{ContextNotFound, message}
}

// offered lists the contexts, in the order sent.
func offered(contexts []Context) string {
	names := make([]string, 0, len(contexts))
	for _, context := range contexts {
		name := context.Name
		if !context.Verified {
			name += " (without TLS verification)"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "it offers no context"
	}
	return "it offers " + listed(names)
}

// advice says what to write, from the contexts that would be taken.
func advice(contexts []Context) string {
	var lines []string
	for _, context := range contexts {
		line := "access: " + string(AccessOf(context.Name))
		if AccessOf(context.Name) == Custom {
			line = "context: " + context.Name
		}
		if context.Verified && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if lines == nil {
		return noAdvice
	}
	return "write in spec.endpoint one of " + listed(lines)
}

// adviceByName is advice for somebody who named a context.
func adviceByName(contexts []Context) string {
	var lines []string
	for _, context := range contexts {
		if context.Verified {
			lines = append(lines, "context: "+context.Name)
		}
	}
	if lines == nil {
		return noAdvice
	}
	return "write in spec.endpoint one of " + listed(lines) + ", or leave context out"
}

// insecureAdvice names both who have to agree.
const insecureAdvice = "only with spec.endpoint.allowInsecureTLS and the operator's --allow-insecure-tls, or a grant of the account that says the same, are they published, without a CA"

const noAdvice = "no spec.endpoint helps before the cluster has an address with TLS verification"

func listed(items []string) string {
	if len(items) > maxListed {
		return fmt.Sprintf("%s and %d more", strings.Join(items[:maxListed], ", "), len(items)-maxListed)
	}
	return strings.Join(items, ", ")
}
