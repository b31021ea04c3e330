// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// The bounds of cce_02_0248.
const (
	maxDays      = 1827
	maxYears     = 5
	minLife      = 15 * time.Minute
	expireAtForm = "2006-01-02 15:04:05 +0000 UTC"
)

// validity is the body of clustercert: at least one of the two, and expire_at
// wins.
type validity struct {
	days     *int32     // duration
	expireAt *time.Time // expire_at
}

func parseValidity(body []byte, autopilot bool) (validity, *apiError) {
	var v validity
	fields, refused := object(body, "duration", "expire_at")
	if refused != nil {
		return v, refused
	}
	if raw, ok := fields["duration"]; ok && json.Unmarshal(raw, &v.days) != nil {
		return v, badRequest("duration is not a whole number of days")
	}
	if raw, ok := fields["expire_at"]; ok {
		if autopilot {
			return v, badRequest("expire_at is unknown to Autopilot, use duration")
		}
		at, refused := parseExpireAt(raw)
		if refused != nil {
			return v, refused
		}
		v.expireAt = at
	}
	if v.days == nil && v.expireAt == nil {
		return v, badRequest("one of duration and expire_at is needed")
	}
	return v, nil
}

func parseExpireAt(raw json.RawMessage) (*time.Time, *apiError) {
	var text *string
	wrong := badRequest("expire_at does not have the form " + expireAtForm)
	if json.Unmarshal(raw, &text) != nil {
		return nil, wrong
	}
	if text == nil {
		return nil, nil
	}
	at, err := time.Parse(expireAtForm, *text)
	if err != nil || at.Format(expireAtForm) != *text { // time.Parse also takes fractions of a second
		return nil, wrong
	}
	return &at, nil
}

// notAfter is the end that was asked for, if it is within bounds.
func (v validity) notAfter(now time.Time) (time.Time, *apiError) {
	latest := now.AddDate(maxYears, 0, 0)
	if v.expireAt != nil {
		if v.expireAt.Before(now.Add(minLife)) || v.expireAt.After(latest) {
			return time.Time{}, badRequest("expire_at is not between 15 minutes and 5 years from now")
		}
		return *v.expireAt, nil
	}
	switch days := *v.days; {
	case days == -1:
		return latest, nil
	case days < 1 || days > maxDays:
		return time.Time{}, badRequest(fmt.Sprintf("duration is neither -1 nor between 1 and %d", maxDays))
	default:
		// Five years have 1827 days only where they hold two leap days.
		if end := now.AddDate(0, 0, int(days)); end.Before(latest) {
			return end, nil
		}
		return latest, nil
	}
}

// object reads a JSON object that has none but the given fields, in exactly
// this spelling, which encoding/json alone does not insist on.
func object(body []byte, allowed ...string) (map[string]json.RawMessage, *apiError) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || fields == nil {
		return nil, badRequest("the body is not one JSON object")
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(allowed, name) {
			return nil, badRequest(fmt.Sprintf("unknown field %q", name))
		}
	}
	return fields, nil
}
