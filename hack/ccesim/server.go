// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server is the simulated cloud. Make it with [New]; all methods may be called
// at any time from any goroutine.
type Server struct {
	clock          func() time.Time
	signatureClock func() time.Time
	backdate       atomic.Int64 // time.Duration
	granted, least atomic.Int64 // time.Duration
	latency        atomic.Int64 // time.Duration

	authority atomic.Pointer[authority]
	stranger  func() (*authority, error) // a CA that nobody trusts, made when first needed
	keys      *keySource
	registry  *registry
	lockout   *lockout
	limiter   *limiter
	script    *script
	ledger    *ledger
	requests  *counter

	temporaries *temporaries
	pods        map[string]Agency // by their tokens
	providers   []IdentityProvider
	instance    atomic.Pointer[Instance]
}

// New checks the configuration and returns a server that is ready to answer.
func New(cfg Config) (*Server, error) {
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("ccesim: %w", err)
	}
	ca, err := firstAuthority(cfg)
	if err != nil {
		return nil, fmt.Errorf("ccesim: certificate authority: %w", err)
	}
	keys, err := newKeySource(cfg.KeyAlgorithm, cfg.KeyPool)
	if err != nil {
		return nil, fmt.Errorf("ccesim: %w", err)
	}
	s := &Server{
		clock:          cfg.clock(),
		signatureClock: cfg.signatureClock(),
		stranger:       sync.OnceValues(func() (*authority, error) { return newAuthority("a stranger") }),
		keys:           keys,
		lockout:        newLockout(),
		limiter:        newLimiter(cfg.WritesPerMinute),
		script:         newScript(),
		ledger:         &ledger{},
		requests:       newCounter(),
	}
	s.introduce(cfg)
	s.registry, err = newRegistry(cfg, s.clock())
	if err != nil {
		return nil, fmt.Errorf("ccesim: %w", err)
	}
	s.authority.Store(ca)
	s.granted.Store(int64(cfg.GrantedLifetime))
	s.latency.Store(int64(cfg.Latency))
	s.backdate.Store(int64(cfg.Backdate))
	return s, nil
}

func (c Config) check() error {
	switch {
	case (c.CACert == nil) != (c.CAKey == nil):
		return errors.New("one of CACert and CAKey is set, they go together")
	case c.WritesPerMinute < 0:
		return fmt.Errorf("the value of WritesPerMinute is %d, less than 0", c.WritesPerMinute)
	case c.GrantedLifetime < 0:
		return fmt.Errorf("the value of GrantedLifetime is %v, less than 0", c.GrantedLifetime)
	case c.Backdate < 0:
		return fmt.Errorf("the value of Backdate is %v, less than 0", c.Backdate)
	case c.KeyPool < 0:
		return fmt.Errorf("the value of KeyPool is %d, less than 0", c.KeyPool)
	case c.Latency < 0:
		return fmt.Errorf("the value of Latency is %v, less than 0", c.Latency)
	}
	return c.checkIdentities()
}

func (c Config) clock() func() time.Time {
	if c.Clock != nil {
		return c.Clock
	}
	return time.Now
}

func (c Config) signatureClock() func() time.Time {
	if c.SignatureClock != nil {
		return c.SignatureClock
	}
	return c.clock()
}

// ServeHTTP answers one call of the CCE or IAM API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.serve(w, r, parseRoute(r.Method, r.URL.Path))
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt route) {
	c := s.receive(w, r, rt)
	a := s.process(c)
	c.settle(s.deliver(r.Context(), c, a))
}

// process decides what the answer is; it writes nothing.
func (s *Server) process(c *call) answer {
	if refused := c.readBody(); refused != nil {
		return c.refuse(refused)
	}
	if c.route.op == OpUnknown {
		return c.refuse(noSuchAPI())
	}
	if refused := s.authenticate(c); refused != nil {
		return c.refuse(refused)
	}
	s.ledger.identify(c.entry, c.who)
	if c.route.op.writes() && !s.limiter.allow(c.who.account(), c.now) {
		return c.refuse(throttled())
	}
	c.fault = s.script.take(c)
	s.ledger.blame(c.entry, c.fault)
	if c.fault.instead != nil {
		return c.fault.instead(c)
	}
	return s.perform(c)
}

func (s *Server) perform(c *call) answer {
	switch c.route.op {
	case OpIssue:
		return s.issue(c)
	case OpRevoke:
		return s.revoke(c)
	case OpShow:
		return s.show(c)
	case OpList:
		return s.list(c)
	case OpEndpoints:
		return s.endpoints(c)
	case OpProjects:
		return s.projects(c)
	case OpIDToken:
		return s.idToken(c)
	case OpSecurityToken:
		return s.securityToken(c)
	case OpPodIdentity:
		return s.podIdentity(c)
	case OpMetadataToken:
		return s.metadataToken(c)
	case OpSecurityKey:
		return s.securityKey(c)
	default:
		return version(c)
	}
}
