// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"time"

	"github.com/clustercredential/operator/controllers/budget"
	"github.com/clustercredential/operator/controllers/rotation"
)

// rules are what a world is ruled by. Tests put a bug into one of them, to see that the
// oracles notice.
type rules struct {
	decide   func(time.Time, rotation.Wanted, rotation.Found) rotation.Decision
	giveBack func(*budget.Budget, time.Time, budget.Account, string, budget.Outcome) budget.Call
	lead     func(*budget.Budget, time.Time)
	// limit is what the budget is told of the calls a minute that are allowed.
	limit func(int) int
}

// realRules are those of the operator.
func realRules() rules {
	return rules{
		decide:   rotation.Decide,
		giveBack: (*budget.Budget).Return,
		lead:     (*budget.Budget).Lead,
		limit:    func(perMinute int) int { return perMinute },
	}
}
