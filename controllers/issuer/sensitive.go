// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package issuer

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Sensitive holds bytes that must never be printed: keys, tokens, kubeconfigs.
// Every way in which fmt, encoding/json, log/slog and logr turn a value into text
// gives "[redacted]"; Reveal is the one way to the bytes.
type Sensitive []byte

// Reveal returns the bytes themselves. Callers pass them on and never print them.
func (s Sensitive) Reveal() []byte { return s }

// String keeps the bytes out of %s, %v and string concatenation through fmt.
func (s Sensitive) String() string { return redacted }

// Format keeps the bytes out of every fmt verb, %x and %#v included.
func (s Sensitive) Format(w fmt.State, _ rune) { _, _ = io.WriteString(w, redacted) }

// MarshalText keeps the bytes out of encoding/json, YAML and map keys.
func (s Sensitive) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps the bytes out of log/slog.
func (s Sensitive) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalLog keeps the bytes out of logr.
func (s Sensitive) MarshalLog() any { return redacted }
