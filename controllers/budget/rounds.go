// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package budget

import "maps"

// rounds let the namespaces of a class take turns: of each namespace the first claim
// stands in the first round, the second in the second, whatever the others ask for. So
// one tenant's loop of requests starves nobody. Renewals by expiry know no rounds: there
// the certificate that expires first goes first, whosever it is.
type rounds struct {
	next   map[tenant]int // the round of the namespace's next claim
	served map[Class]int  // the round that was served last
}

type tenant struct {
	class     Class
	namespace string
}

// enter gives the round of a claim that comes.
func (r *rounds) enter(claim Claim) int {
	if claim.Class == ByExpiry {
		return 0
	}
	if r.next == nil {
		r.next, r.served = map[tenant]int{}, map[Class]int{}
	}
	if claim.Late {
		return r.served[claim.Class]
	}
	who := tenant{claim.Class, claim.Namespace}
	round := max(r.next[who], r.served[claim.Class])
	r.next[who] = round + 1
	return round
}

// serve notes that a claim got its turn. Namespaces whose rounds are over are forgotten.
func (r *rounds) serve(p place) {
	if p.Class == ByExpiry || p.round <= r.served[p.Class] {
		return
	}
	r.served[p.Class] = p.round
	maps.DeleteFunc(r.next, func(who tenant, next int) bool { return next <= r.served[who.class] })
}
