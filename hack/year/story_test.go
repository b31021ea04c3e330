// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package year

import (
	"context"
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clustercredential/operator/api/v1alpha1"
	"github.com/clustercredential/operator/hack/ccesim"
)

// happening is something that happens once in so many hours.
type happening struct {
	every int64
	what  func(*world)
}

// happenings are all that can go wrong, and all that people do.
func happenings() []happening {
	return []happening{
		{5 * 24, (*world).beginOutage},
		{20, (*world).scriptFault},
		{24, (*world).plotKill},
		{36, (*world).spoil},
		{120, (*world).stop},
		{72, (*world).loseSecret},
		{36, (*world).changeSpec},
		{72, (*world).wish},
		{48, (*world).suspend},
		{10 * 24, (*world).suspendAccount},
		{15 * 24, (*world).changeKey},
		{60, (*world).remove},
		{48, (*world).makeTrouble},
		{8, func(w *world) { w.locked(func() { w.touches = 1 + w.story.IntN(3) }) }},
	}
}

// live lets the time pass. Each hour some things happen, at random minutes of it, and what
// has gone wrong before is put right when its time has come.
func (w *world) live(length time.Duration, all []happening) {
	for end := time.Now().Add(length); time.Now().Before(end) && !w.isBroken(); {
		hour := time.Now().Add(time.Hour)
		var due []func(*world)
		for _, h := range all {
			if w.story.Int64N(h.every) == 0 {
				due = append(due, h.what)
			}
		}
		w.story.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
		moments := make([]time.Duration, len(due))
		for i := range moments {
			moments[i] = time.Duration(w.story.Int64N(int64(time.Hour)))
		}
		slices.Sort(moments)
		for i, what := range due {
			time.Sleep(time.Until(hour.Add(moments[i] - time.Hour)))
			w.happen(what)
		}
		time.Sleep(time.Until(hour))
		w.happen((*world).mend)
	}
}

// happen lets something happen between two looks of the oracle, while nobody is at work
// but those who wait for time to pass.
func (w *world) happen(what func(*world)) {
	synctest.Wait()
	w.oracle.step()
	what(w)
	synctest.Wait()
	w.oracle.step()
}

// locked changes what other goroutines look at.
func (w *world) locked(change func()) {
	w.oracle.mu.Lock()
	defer w.oracle.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// mend puts right what has gone wrong long enough. It is called each hour.
func (w *world) mend() {
	now := time.Now()
	if !w.outage.until.IsZero() && !now.Before(w.outage.until) {
		w.endOutage()
	}
	for _, a := range w.accounts {
		if !a.suspended.IsZero() && !now.Before(a.resumed) {
			w.suspendFor(a, false)
		}
		if a.refused {
			w.storeKey(a)
		}
	}
	for _, m := range w.fleet {
		w.attend(m, now)
	}
}

// attend is what people do about one credential in time.
func (w *world) attend(m *member, now time.Time) {
	switch {
	case !m.back.IsZero():
		if !now.Before(m.back) {
			m.back = time.Time{}
			w.create(m.object())
		}
		return
	case !m.resumes.IsZero() && !now.Before(m.resumes):
		m.resumes = time.Time{}
		w.changeMember(m, func(cc *v1alpha1.ClusterCredential) bool { cc.Spec.Suspend = false; return true })
	case m.parked() && w.story.IntN(3) == 0:
		w.wishFor(m)
	case isManual(m.cc) && m.holds != nil && now.After(m.dueAt(m.holds)) && w.story.IntN(240) == 0:
		w.wishFor(m) // most people think of it in time
	}
}

// one is a member whose object is there; nil: there is none by chance.
func (w *world) one() *member {
	if m := w.fleet[w.story.IntN(len(w.fleet))]; m.cc != nil {
		return m
	}
	return nil
}

func (w *world) changeMember(m *member, edit func(*v1alpha1.ClusterCredential) bool) {
	change(w, &v1alpha1.ClusterCredential{}, m.name, edit)
}

// beginOutage is a cloud that answers nothing of use, to one account or to all.
func (w *world) beginOutage() {
	if !w.outage.until.IsZero() {
		return
	}
	o := outage{until: time.Now().Add(time.Duration(w.story.Int64N(int64(30 * time.Minute))))}
	if w.story.IntN(4) == 0 {
		o.until = time.Now().Add(time.Duration(w.story.Int64N(int64(shortestBefore))))
	}
	ways := []ccesim.FaultName{
		ccesim.FaultUnavailable, ccesim.FaultServerError, ccesim.FaultBadGateway, ccesim.FaultThrottled, ccesim.FaultHang,
		ccesim.FaultDropBefore, ccesim.FaultEmptyError, ccesim.FaultForbidden, "",
	}
	way := ways[w.story.IntN(len(ways))]
	o.how = string(way)
	if way != "" && w.story.IntN(2) == 0 {
		o.whose = w.accounts[w.story.IntN(len(w.accounts))]
	}
	w.locked(func() { w.outage = o; w.tally.outages++; w.tally.down += time.Until(o.until) })
	if way == "" {
		w.wire.down.Store(true)
		return
	}
	for _, op := range []ccesim.Op{ccesim.OpIssue, ccesim.OpShow, ccesim.OpList, ccesim.OpProjects, ccesim.OpEndpoints} {
		f := ccesim.Fault{Name: way, Op: op, Times: ccesim.Forever}
		if o.whose != nil {
			f.AccessKey = o.whose.key.ID
		}
		w.must(w.sim.Script(f))
	}
}

func (w *world) endOutage() {
	w.locked(func() { w.outage = outage{} })
	w.wire.down.Store(false)
	w.sim.ClearScript()
}

// scriptFault lets one of the next certificates go wrong, in any of the ways of the simulator.
func (w *world) scriptFault() {
	if !w.outage.until.IsZero() || len(w.sim.Scripted()) > 2 {
		return
	}
	all := ccesim.Faults()
	f := ccesim.Fault{Name: all[w.story.IntN(len(all))].Name, Times: 1 + w.story.IntN(2)}
	if f.Name == ccesim.FaultSlowDrip && w.story.IntN(2) == 0 {
		f.Pause = 1e-6
	}
	if f.Name == ccesim.FaultThrottled && w.story.IntN(2) == 0 {
		f.RetryAfter = 1 + 600*w.story.Float64()
	}
	w.must(w.sim.Script(f))
}

// plotKill kills the operator at one of its next writes, or at the next of a Secret, before or
// after it is carried out.
func (w *world) plotKill() {
	p := w.running()
	if p == nil || p.burns.Load() {
		return
	}
	p.burnsAfter.Store(w.story.IntN(2) == 0)
	p.onSecrets.Store(w.story.IntN(2) == 0)
	p.fuse.Store(1 + w.story.Int64N(5))
	if p.onSecrets.Load() {
		p.fuse.Store(1)
	}
	p.burns.Store(true)
}

// spoil lets the next writes of Secrets fail, which mostly are those of a certificate that has just come.
func (w *world) spoil() {
	w.locked(func() { w.spoils = 1 + w.story.IntN(3) })
}

// stop is SIGTERM, and a standby that takes over when everything is done.
func (w *world) stop() {
	p := w.running()
	if p == nil {
		return
	}
	w.locked(func() {
		w.process = nil
		p.stopped, p.troubled = time.Now(), time.Now().Before(w.trouble.until) || w.spoils > 0
		w.tally.stops++
	})
	p.cancel()
	<-p.ended
	w.begin()
}

func (w *world) loseSecret() {
	m := w.one()
	if m == nil || m.notes.secret == nil {
		return
	}
	w.locked(func() { w.tally.losses++ })
	w.must(w.api.Delete(context.Background(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: m.secret()}}))
	w.oracle.refresh(m.name)
}

// changeSpec changes what a certificate is asked for, or something that costs none.
func (w *world) changeSpec() {
	m := w.one()
	if m == nil {
		return
	}
	w.locked(func() { w.tally.changes++ })
	w.changeMember(m, func(cc *v1alpha1.ClusterCredential) bool {
		spec := &cc.Spec
		switch w.story.IntN(6) {
		case 0:
			spec.Cluster = m.cluster(w.story.IntN(2))
		case 1:
			w.changeValidity(spec)
		case 2:
			spec.AccountRef.Name = w.accounts[w.story.IntN(len(w.accounts))].name
		case 3:
			spec.Endpoint = &v1alpha1.Endpoint{Access: []v1alpha1.Access{v1alpha1.AccessInternal, v1alpha1.AccessExternal}[w.story.IntN(2)]}
		case 4:
			spec.DeletionPolicy = []v1alpha1.DeletionPolicy{v1alpha1.DeletionDelete, v1alpha1.DeletionRetain}[w.story.IntN(2)]
		default:
			label := v1alpha1.LabelValue(fmt.Sprint(w.story.IntN(3)))
			spec.Outputs = []v1alpha1.Output{{SecretName: m.secret(), Labels: map[string]v1alpha1.LabelValue{"tier": label}}}
		}
		m.spec = *spec.DeepCopy()
		return true
	})
}

// changeValidity asks for a little more or less, or for the same in other words.
func (w *world) changeValidity(spec *v1alpha1.ClusterCredentialSpec) {
	switch v := spec.Validity; {
	case v == nil:
		spec.Validity = hours(720)
	case v.Duration != nil && v.Duration.Duration == 720*time.Hour:
		spec.Validity = nil
	case v.Duration != nil:
		spec.Validity = hours(int(v.Duration.Hours()) + w.story.IntN(3) - 1)
	case *v.Days > 1:
		spec.Validity = days(*v.Days + int32(w.story.IntN(2)))
	}
}

func (w *world) wish() {
	if m := w.one(); m != nil {
		w.wishFor(m)
	}
}

func (w *world) wishFor(m *member) {
	m.wishes++
	w.locked(func() { w.tally.wishes++ })
	w.changeMember(m, func(cc *v1alpha1.ClusterCredential) bool {
		cc.Annotations = map[string]string{v1alpha1.AnnotationRenewRequestedAt: fmt.Sprintf("%s-%d", m.name, m.wishes)}
		return false
	})
}

func (w *world) suspend() {
	m := w.one()
	if m == nil || !m.resumes.IsZero() {
		return
	}
	m.resumes = time.Now().Add(time.Duration(w.story.Int64N(int64(2 * day))))
	w.changeMember(m, func(cc *v1alpha1.ClusterCredential) bool { cc.Spec.Suspend = true; return true })
}

func (w *world) suspendAccount() {
	a := w.accounts[w.story.IntN(len(w.accounts))]
	if a.suspended.IsZero() {
		a.resumed = time.Now().Add(time.Duration(w.story.Int64N(int64(12 * time.Hour))))
		w.suspendFor(a, true)
	}
}

func (w *world) suspendFor(a *account, suspended bool) {
	w.locked(func() {
		if a.suspended = time.Now(); !suspended {
			a.suspended = time.Time{}
		}
	})
	change(w, &v1alpha1.CloudAccount{}, a.name, func(object *v1alpha1.CloudAccount) bool { object.Spec.Suspend = suspended; return true })
}

// changeKey gives an account a new key. Half of the time the cloud forgets the old one
// before anybody stores the new one.
func (w *world) changeKey() {
	a := w.accounts[w.story.IntN(len(w.accounts))]
	if a.refused || !w.outage.until.IsZero() {
		return
	}
	w.locked(func() { a.nextKey(); a.refused = true; w.tally.keys++ })
	w.must(w.sim.SetKeys(w.keys()...))
	if w.story.IntN(2) == 0 {
		w.storeKey(a)
	}
}

func (w *world) storeKey(a *account) {
	w.locked(func() { a.refused = false })
	change(w, &corev1.Secret{}, a.keySecret(), func(secret *corev1.Secret) bool { secret.Data = a.secret().Data; return false })
}

// remove deletes an object, and creates it again some time later. What the garbage
// collector would do, the world does.
func (w *world) remove() {
	m := w.one()
	if m == nil {
		return
	}
	w.locked(func() { w.tally.removals++ })
	m.back, m.resumes = time.Now().Add(time.Duration(w.story.Int64N(int64(day)))), time.Time{}
	uid := m.cc.UID
	w.must(w.api.Delete(context.Background(), m.object()))
	if s := m.notes.secret; s != nil && slices.ContainsFunc(s.OwnerReferences, func(r metav1.OwnerReference) bool { return r.UID == uid }) {
		w.must(w.api.Delete(context.Background(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: m.secret()}}))
	}
	w.oracle.refresh(m.name)
}

// makeTrouble is an API server that fails some requests, or refuses to store Secrets.
func (w *world) makeTrouble() {
	w.locked(func() {
		w.trouble = trouble{until: time.Now().Add(time.Duration(w.story.Int64N(int64(time.Hour)))), every: 2 + w.story.IntN(8)}
		if w.story.IntN(3) == 0 {
			w.trouble.quota = true
		}
		w.tally.troubles++
	})
}

// settle puts everything right that has gone wrong.
func (w *world) settle() {
	w.endOutage()
	w.locked(func() { w.trouble, w.touches, w.spoils = trouble{}, 0, 0 })
	for _, a := range w.accounts {
		if !a.suspended.IsZero() {
			w.suspendFor(a, false)
		}
		if a.refused {
			w.storeKey(a)
		}
	}
	for _, m := range w.fleet {
		if m.cc == nil {
			m.back = time.Time{}
			w.create(m.object())
		} else if m.cc.Spec.Suspend {
			m.resumes = time.Time{}
			w.changeMember(m, func(cc *v1alpha1.ClusterCredential) bool { cc.Spec.Suspend = false; return true })
		} else if m.parked() {
			w.wishFor(m)
		}
	}
	if p := w.running(); p != nil {
		p.burns.Store(false)
	}
}
