// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clustercredential/operator/api/v1alpha1"
)

func TestTheAPIServerTakesDurations(t *testing.T) {
	tests := map[string]time.Duration{ // what spec.validity.duration means; 0: it is refused
		"20m":                   20 * time.Minute,
		"1200s":                 20 * time.Minute,
		"1h30m":                 90 * time.Minute,
		"30m1h":                 90 * time.Minute,
		"0.5h":                  30 * time.Minute,
		"1.5h":                  90 * time.Minute,
		"720h0m0s":              720 * time.Hour,
		"262800h":               262800 * time.Hour,
		"0000000000000000720h":  720 * time.Hour,
		"20m0.000000001s":       20*time.Minute + 1,
		"20m0.00000000000001s":  20 * time.Minute,
		"262799h59m59.9999999s": 262800*time.Hour - 100,

		// Less and more than may be asked for.
		"19m59.999999999s":                 0,
		"0h":                               0,
		"0.0000000000000000000000000001h":  0,
		"262801h":                          0,
		"262800h0.000000001s":              0,
		"9223372036.854775807s":            0, // the longest that time.Duration holds
		"9223372036.854775808s":            0,
		"2562048h":                         0,
		"9999999999999h":                   0,
		"2562047h2562047h2562047h2562047h": 0, // the sum overflows
		"18446744073709h":                  0,
		"99999999999999999999999999999h":   0,

		// No durations.
		"":          0,
		"0":         0,
		"720":       0,
		"h":         0,
		"30d":       0,
		"1d12h":     0,
		"1w":        0,
		"1e3h":      0,
		"-1h":       0,
		"+1h":       0,
		".5h":       0,
		"1.h":       0,
		"1.5.5h":    0,
		"1,5h":      0,
		"1_000h":    0,
		"0x10h":     0,
		"720H":      0,
		"1h ":       0,
		" 1h":       0,
		"1 h":       0,
		"1h\n":      0,
		"\n1h":      0,
		"1h\x00":    0,
		"1h\n30d":   0,
		"NaNh":      0,
		"P30D":      0,
		"PT1H":      0,
		"7200000ms": 0,
		"７２０h":      0, // full-width digits
		"٧٢٠h":      0, // Arabic-Indic digits
		"1ｈ":        0,
	}
	s := durationServer(t, "durations")
	for value, want := range tests {
		t.Run(strconv.Quote(value), func(t *testing.T) {
			got := s.duration(t, value)
			if got != want {
				t.Errorf("%q counts as %v, want %v (0: refused)", value, got, want)
			}
		})
	}
}

// Whatever the API server takes must be read by the Go types: one value that cannot be would break the informer of all.
func TestEveryStoredDurationCanBeDecoded(t *testing.T) {
	s := durationServer(t, "decodable")
	numbers := []string{
		"0", "1", "20", "1199", "1200", "262800", "15768000", "946080000", "2562047", "2562048", "153722867", "9223372036",
		"9223372037", "9223372036854775807", "9223372036854775808", "18446744073709551616", "0.5", "0.333333333333333333", "1.999999999999",
		"262799.9999999999", "946079999.9999999999",
	}
	taken := 0
	for _, number := range numbers {
		for _, unit := range []string{"s", "m", "h", "s1m", "m1h", "h1m1s", "h20m", "h" + number + "h"} {
			if value := number + unit; len(value) <= 32 && s.duration(t, value) != 0 {
				taken++
			}
		}
	}
	if taken < 20 {
		t.Errorf("%d of these durations were taken, which proves little", taken)
	}
}

func durationServer(t *testing.T, namespace string) *server {
	t.Helper()
	namespace = newNamespace(t, namespace)
	return &server{objects: objects(t, credential, namespace), stored: object(t, credential, namespace, "")}
}

// duration returns how the Go types read a value of spec.validity.duration; 0: the API server refuses it, and says what to write.
func (s *server) duration(t *testing.T, value string) time.Duration {
	t.Helper()
	o := object(t, credential, s.stored.GetNamespace(), "")
	if err := unstructured.SetNestedField(o.Object, value, "spec", "validity", "duration"); err != nil {
		t.Fatal(err)
	}
	result, err := s.try(t, o)
	if err != nil {
		message := fmt.Sprint(err)
		says := strings.Contains(message, "write hours, e.g. 720h; days are not a unit") || strings.Contains(message, "write at least 20m")
		if !apierrors.IsInvalid(err) || !strings.Contains(message, "spec.validity.duration: ") || !says {
			t.Errorf("%q: the error does not say what to write: %v", value, err)
		}
		return 0
	}
	decoded, err := decode(result)
	if err != nil {
		t.Errorf("%q is taken, and cannot be decoded: %v", value, err)
		return 0
	}
	return decoded.(*v1alpha1.ClusterCredential).Spec.Validity.Duration.Duration
}
