// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package rotation

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/clustercredential/operator/api/v1alpha1"
)

// Window is a time in which renewals for expiry may be made, again and again.
type Window struct {
	// Schedule says when it opens: five fields as in a crontab, or @daily and the like.
	Schedule string
	// Duration is how long it stays open.
	Duration time.Duration
	// TimeZone is the IANA name of the zone that Schedule is read in; empty: UTC.
	TimeZone string
}

const (
	// leastForWindows is the granted lifetime below which there is no time to wait.
	leastForWindows = 10 * time.Hour
	// leastMargin is how long before expiry waiting ends at the latest; with longer lifetimes
	// it is a tenth of them.
	leastMargin = time.Hour
)

// renewal is when a certificate is renewed.
type renewal struct {
	// plain is when it is due, slot what the calendar makes of that.
	plain time.Time
	slot  slot
	calendar
	// beforeNote is that of RenewAt.
	beforeNote string
}

func renewalOf(v Validity, s Schedule, uid string) renewal {
	plain, note := RenewAt(v, s, uid)
	c := calendarOf(v, s, uid, plain)
	return renewal{plain: plain, slot: c.from(plain), calendar: c, beforeNote: note}
}

// calendar says when renewals may be made: in windows, and from a safe limit on always.
type calendar struct {
	windows []window // none: always
	// plain is when the renewal is due. It waits until limit at the latest; last is when it is
	// made if no window opens until then.
	plain, limit, last time.Time
	uid, serial        string
	// note tells the user which windows are ignored; empty: none.
	note string
}

// slot is a time at which a renewal may be made.
type slot struct {
	at time.Time
	// opens is when the window opens that at lies in.
	opens time.Time
	// inside is false where expiry overrides the windows.
	inside bool
}

// SafeLimit is until when a renewal may wait for something other than its turn: windows, or a cluster that cannot be reached.
func SafeLimit(v Validity) time.Time {
	return v.NotAfter.Add(-max(v.NotAfter.Sub(v.NotBefore)/10, leastMargin)).Truncate(time.Second)
}

// LateFrom is from when a certificate that was not renewed is in danger of expiring: with a tenth of its life left.
func LateFrom(v Validity) time.Time { return v.NotAfter.Add(-v.NotAfter.Sub(v.NotBefore) / 10) }

// calendarOf reads the windows. Whatever cannot be read holds nothing back.
func calendarOf(v Validity, s Schedule, uid string, plain time.Time) calendar {
	lifetime := v.NotAfter.Sub(v.NotBefore)
	switch {
	case len(s.Windows) == 0 || s.Manual: // by hand, nothing is asked for by time
		return calendar{}
	case s.IsOverCap(v):
		return calendar{note: "spec.renewal.windows is ignored: the certificate lasts longer than is allowed now"}
	case lifetime < leastForWindows:
		return calendar{note: fmt.Sprintf("spec.renewal.windows is ignored, since the certificate was granted for %s only: write a validity of %s or more", lifetime, leastForWindows)}
	}
	c := calendar{plain: plain, uid: uid, serial: v.Serial}
	c.limit = SafeLimit(v)
	c.last = c.limit.Add(-spreadOf(uid, v.Serial, min(c.limit.Sub(plain)/10, maxSpread)))
	var notes []string
	for i, w := range s.Windows {
		read, err := read(w, plain)
		if err != nil {
			notes = append(notes, fmt.Sprintf("spec.renewal.windows[%d] is ignored: %v", i, err))
			continue
		}
		c.windows = append(c.windows, read)
	}
	c.note = strings.Join(notes, "; ")
	return c
}

// from is the first time from t on at which the renewal may be made; t is not before plain.
//
// In a window that is open when the renewal is due, that is at any time. In a later one it is
// once its own share of the first half has passed: so a fleet does not ask when the window
// opens, and the second half is there for those that fail. Once no window opens any more
// before the limit, it is last, a little earlier than the limit, and any time after it.
func (c calendar) from(t time.Time) slot {
	if len(c.windows) == 0 {
		return slot{at: t, inside: true}
	}
	var best slot
	for _, w := range c.windows {
		if s := c.within(w, t); s.inside && (!best.inside || s.at.Before(best.at)) {
			best = s
		}
	}
	switch {
	case best.inside && (best.at.Equal(t) || !best.at.After(c.limit)):
		return best
	case t.Before(c.last):
		return slot{at: c.last}
	default:
		return slot{at: t}
	}
}

// within is the first time from t on in one window.
func (c calendar) within(w window, t time.Time) slot {
	opens := w.next(t.Add(-w.duration)) // open at t, or else the next one
	if opens.IsZero() {
		return slot{}
	}
	at := opens
	if opens.After(c.plain) {
		at = at.Add(spreadOf(c.uid, c.serial, min(w.duration/2, maxSpread, c.limit.Sub(opens))))
	}
	if at.Before(t) {
		at = t
	}
	return slot{at: at, opens: opens, inside: true}
}

// moved tells what the windows make of the renewal; empty: nothing.
func (r renewal) moved() string {
	switch {
	case !r.slot.inside:
		return "outside of " + r.overridden()
	case r.slot.at.After(r.plain):
		return fmt.Sprintf("in the window of spec.renewal.windows that opens at %s; without windows at %s", stamp(r.slot.opens), stamp(r.plain))
	default:
		return ""
	}
}

func (r renewal) overridden() string {
	return fmt.Sprintf("spec.renewal.windows: none opens in time, and a renewal waits until %s at the latest", stamp(r.limit))
}

// waitForWindow moves At into a window, or to where expiry overrides them.
func (d *Decision) waitForWindow(r renewal) {
	from := d.At
	if from.Before(r.slot.at) {
		from = r.slot.at
	}
	next := r.from(from)
	d.Overridden = !next.inside
	waits := "the renewal is due since " + stamp(r.plain) + " and waits"
	switch {
	case !next.at.After(d.At) && d.Overridden:
		d.Message += "; expiry overrides " + r.overridden()
	case d.Overridden:
		d.later(next.at, v1alpha1.ReasonWaitingForWindow, waits+" until "+stamp(next.at)+"; then expiry overrides "+r.overridden())
	default:
		d.later(next.at, v1alpha1.ReasonWaitingForWindow, fmt.Sprintf("%s for the window of spec.renewal.windows that opens at %s; asked for at %s, or now by the annotation %s",
			waits, stamp(next.opens), stamp(next.at), v1alpha1.AnnotationRenewRequestedAt))
	}
}

// window is a Window that was read.
type window struct {
	schedule cron.Schedule
	zone     *time.Location
	duration time.Duration
}

// crontab reads what people write into a crontab: no seconds.
var crontab = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// read reads a window. An error says what is wrong, and what to write.
func read(w Window, from time.Time) (window, error) {
	const form = `write minute, hour, day of month, month and day of week, such as "0 2 * * 6"`
	// What names a zone or a period is for other programs; the library would take it.
	if strings.Contains(w.Schedule, "=") || strings.HasPrefix(w.Schedule, "@every") {
		return window{}, fmt.Errorf("schedule %q is not of that form: %s", w.Schedule, form)
	}
	schedule, err := crontab.Parse(w.Schedule)
	if err != nil {
		return window{}, fmt.Errorf("schedule %q: %w; %s", w.Schedule, err, form)
	}
	zone, err := time.LoadLocation(w.TimeZone)
	if err != nil || w.TimeZone == "Local" { // the second: that of a machine
		return window{}, fmt.Errorf("timeZone %q is not known: write a name of the IANA time zone database, such as Asia/Shanghai", w.TimeZone)
	}
	if w.Duration <= 0 {
		return window{}, errors.New("duration is not positive: write at least 10m")
	}
	read := window{schedule, zone, w.Duration}
	if read.next(from).IsZero() {
		return window{}, fmt.Errorf("schedule %q names no day of the next five years: write one that comes", w.Schedule)
	}
	return read, nil
}

// next is when the window opens for the first time after a time; zero: not in five years.
//
// The schedule is asked on the clock on the wall, which knows nothing of the zone, and the
// answer is looked up in the zone. So a window of an hour that the clock leaps over opens with
// the leap, and one of an hour that comes twice opens the first time.
func (w window) next(after time.Time) time.Time {
	for wall := wallOf(after.In(w.zone)); ; {
		if wall = w.schedule.Next(wall); wall.IsZero() {
			return time.Time{}
		}
		if at := timeOf(wall, w.zone); at.After(after) { // not so in an hour that comes for the second time
			return at
		}
	}
}

// wallOf is what a clock on the wall shows, as if it were UTC.
func wallOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// timeOf is when a clock on the wall of a zone shows a time first, or leaps over it. It is
// never earlier for what the clock shows later.
func timeOf(wall time.Time, zone *time.Location) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	start, end := t.ZoneBounds()
	switch shown := wallOf(t); {
	case shown.Before(wall): // time.Date took the offset after the leap
		return end.UTC()
	case shown.After(wall): // or that before it
		return start.UTC()
	case start.IsZero():
		return t.UTC()
	}
	_, offset := t.Zone()
	_, before := start.Add(-time.Second).Zone()
	if first := t.Add(time.Duration(offset-before) * time.Second); first.Before(start) {
		return first.UTC()
	}
	return t.UTC()
}
