// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package cce

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/clustercredential/operator/controllers/issuer"
	"github.com/clustercredential/operator/hack/ccesim"
)

// outcome is what our client makes of a fault.
type outcome struct {
	kind   issuer.Kind
	unsure bool // MayHaveIssued
	good   bool // no error: another room must notice
	late   bool // does not end before the deadline
}

var outcomes = map[ccesim.FaultName]outcome{
	ccesim.FaultThrottled:     {kind: issuer.Throttled},
	ccesim.FaultUnauthorized:  {kind: issuer.Unauthorized},
	ccesim.FaultForbidden:     {kind: issuer.Forbidden},
	ccesim.FaultWrongState:    {kind: issuer.NotAvailable},
	ccesim.FaultNotFound:      {kind: issuer.NotFound},
	ccesim.FaultWrongPath:     {kind: issuer.NotFound},
	ccesim.FaultConflict:      {kind: issuer.NotAvailable},
	ccesim.FaultBadRequest:    {kind: issuer.Rejected},
	ccesim.FaultServerError:   {kind: issuer.Unavailable, unsure: true},
	ccesim.FaultEmptyError:    {kind: issuer.Unavailable, unsure: true},
	ccesim.FaultBadGateway:    {kind: issuer.Unavailable, unsure: true},
	ccesim.FaultUnavailable:   {kind: issuer.Unavailable, unsure: true},
	ccesim.FaultRedirect:      {kind: issuer.InvalidResponse, unsure: true},
	ccesim.FaultNoContent:     {kind: issuer.InvalidResponse, unsure: true},
	ccesim.FaultGarbage:       {kind: issuer.InvalidResponse, unsure: true},
	ccesim.FaultEmptyObject:   {kind: issuer.InvalidResponse, unsure: true},
	ccesim.FaultTruncated:     {kind: issuer.InvalidResponse, unsure: true},
	ccesim.FaultHugeBody:      {kind: issuer.InvalidResponse, unsure: true},
	ccesim.FaultCutOff:        {kind: issuer.Unavailable, unsure: true},
	ccesim.FaultDropBefore:    {kind: issuer.Unavailable, unsure: true},
	ccesim.FaultDropAfter:     {kind: issuer.Unavailable, unsure: true},
	ccesim.FaultSlowDrip:      {kind: issuer.Unavailable, unsure: true, late: true},
	ccesim.FaultDelay:         {kind: issuer.Unavailable, unsure: true, late: true},
	ccesim.FaultHang:          {kind: issuer.Unavailable, unsure: true, late: true},
	ccesim.FaultHangAfter:     {kind: issuer.Unavailable, unsure: true, late: true},
	ccesim.FaultNoUser:        {good: true},
	ccesim.FaultNoCertificate: {good: true},
	ccesim.FaultNoKey:         {good: true},
	ccesim.FaultNoContexts:    {good: true},
	ccesim.FaultInsecureOnly:  {good: true},
	ccesim.FaultOtherServer:   {good: true},
	ccesim.FaultWrongKey:      {good: true},
	ccesim.FaultExpired:       {good: true},
	ccesim.FaultNotYetValid:   {good: true},
	ccesim.FaultOtherCA:       {good: true},
	ccesim.FaultNoClientAuth:  {good: true},
}

func TestEveryFaultOfTheSimulator(t *testing.T) {
	for _, doc := range ccesim.Faults() {
		want, known := outcomes[doc.Name]
		if !known {
			t.Errorf("the fault %s is new: say what our client makes of it", doc.Name)
			continue
		}
		for _, clusterType := range []issuer.ClusterType{issuer.Standard, issuer.Autopilot} {
			for _, dialect := range []ccesim.Dialect{"", ccesim.DialectCCE, ccesim.DialectGateway, ccesim.DialectBoth} {
				if dialect != "" && (want.good || want.late) {
					continue // no error body
				}
				if dialect == ccesim.DialectGateway && doc.Name == ccesim.FaultWrongState {
					continue // the gateway has no word for it
				}
				t.Run(string(doc.Name)+" "+string(clusterType)+" "+string(dialect), func(t *testing.T) {
					t.Parallel()
					issueUnderFault(t, ccesim.Fault{Name: doc.Name, Dialect: dialect, Pause: 10}, clusterType, want)
				})
			}
		}
	}
}

func issueUnderFault(t *testing.T, scripted ccesim.Fault, clusterType issuer.ClusterType, want outcome) {
	sim, d := simulate(t)
	if err := sim.Script(scripted); err != nil {
		t.Fatal(err)
	}
	request := issuer.Request{ClusterID: testCluster, ClusterType: clusterType, Days: 30}
	if clusterType == issuer.Autopilot {
		request.ClusterID = pilotCluster
	}
	ctx, end := newEnding(context.DeadlineExceeded)
	if want.late {
		go func() {
			for len(sim.Ledger()) == 0 || sim.Ledger()[0].Fault == "" {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(20 * time.Millisecond) // so that most are within the answer
			end()
		}()
	}
	_, err := dial(t, d, testAccess()).Issue(ctx, request)
	ledger := sim.Ledger()
	if len(ledger) != 1 || ledger[0].Fault != scripted.Name {
		t.Fatalf("ledger %+v", ledger)
	}
	if want.good {
		if err != nil || !ledger[0].Minted() {
			t.Errorf("%v, %+v", err, ledger[0])
		}
		return
	}
	e := fault(t, err)
	if e.Kind != want.kind || e.MayHaveIssued != want.unsure || errors.Is(e, context.DeadlineExceeded) != want.late {
		t.Errorf("%v %+v", e.Kind, e)
	}
	if ledger[0].Minted() && !e.MayHaveIssued {
		t.Error("a certificate was made, and the error denies it")
	}
	assertNoCanary(t, err.Error())
}

func TestEveryFaultOfTheSimulatorForReads(t *testing.T) {
	for _, doc := range ccesim.Faults() {
		want := outcomes[doc.Name]
		if !doc.AnyOp || want.late {
			continue
		}
		for operation, op := range map[string]ccesim.Op{
			"ClusterByID": ccesim.OpShow, "ClusterByName": ccesim.OpList, "Check": ccesim.OpList, "Project": ccesim.OpProjects,
		} {
			t.Run(string(doc.Name)+" "+operation, func(t *testing.T) {
				sim, d := simulate(t)
				if err := sim.Script(ccesim.Fault{Name: doc.Name, Op: op}); err != nil {
					t.Fatal(err)
				}
				access, call := testAccess(), operations[operation]
				if operation == "Project" {
					access.ProjectID = ""
					call = func(ctx context.Context, c issuer.Cloud) error { _, err := c.Project(ctx); return err }
				}
				e := fault(t, call(context.Background(), dial(t, d, access)))
				if e.Kind != want.kind || e.MayHaveIssued {
					t.Errorf("%v %+v", e.Kind, e)
				}
				if n := sim.Requests()[string(op)]; n != 1 {
					t.Errorf("%d requests", n)
				}
			})
		}
	}
}
