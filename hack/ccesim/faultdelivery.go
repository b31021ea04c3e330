// Copyright The ClusterCredential Authors.
// SPDX-License-Identifier: Apache-2.0

package ccesim

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const hugeBody = 10 << 20

func badDeliveries() []faultKind {
	none := func() answer { return answer{} }
	return []faultKind{
		{name: FaultTruncated, about: "200 with the first half of the JSON", deliver: truncated},
		{name: FaultCutOff, about: "the connection ends in the middle of the body", deliver: cutOff},
		{name: FaultHugeBody, about: "10 MiB of white space before the JSON", deliver: huge},
		{name: FaultSlowDrip, about: "a byte every 0.05 s, or every pause", deliver: slowDrip},
		{name: FaultDelay, about: "the answer comes after 1 s, or pause", deliver: delayed},
		{name: FaultHang, about: "nothing is done and nothing answered until the client leaves", instead: none, deliver: hang},
		{name: FaultHangAfter, about: "the work is done, but nothing answered until the client leaves", deliver: hang},
		{name: FaultDropBefore, about: "nothing is done and the connection is reset", instead: none, deliver: drop},
		{name: FaultDropAfter, about: "the work is done, but the connection is reset without an answer", deliver: drop},
	}
}

func truncated(c *call, a answer) delivery {
	a.body = a.body[:len(a.body)/2]
	return c.write(a)
}

// cutOff announces more than it writes, so net/http closes the connection.
func cutOff(c *call, a answer) delivery {
	c.writeHeader(a, len(a.body))
	_, _ = c.w.Write(a.body[:len(a.body)/2])
	return delivery{status: a.status}
}

func huge(c *call, a answer) delivery {
	a.body = append(bytes.Repeat([]byte(" "), hugeBody), a.body...)
	return c.write(a)
}

func slowDrip(c *call, a answer) delivery {
	c.writeHeader(a, len(a.body))
	pause, last := seconds(cmp.Or(c.fault.pause, 0.05)), max(len(a.body)-1, 0)
	for i := range last {
		_, err := c.w.Write(a.body[i : i+1])
		if err != nil || http.NewResponseController(c.w).Flush() != nil || !wait(c.r.Context(), pause) {
			return delivery{status: a.status}
		}
	}
	return c.end(a.status, a.body[last:])
}

func delayed(c *call, a answer) delivery {
	if !wait(c.r.Context(), seconds(cmp.Or(c.fault.pause, 1))) {
		return delivery{}
	}
	return c.write(a)
}

func hang(c *call, _ answer) delivery {
	<-c.r.Context().Done()
	return delivery{}
}

// drop resets the connection, which only a connection of HTTP/1 lets a handler
// do; without one the client is told so, loudly.
func drop(c *call, _ answer) delivery {
	conn, _, err := http.NewResponseController(c.w).Hijack()
	if err != nil {
		return c.write(answer{status: http.StatusNotImplemented, body: []byte(`{"error_msg":"ccesim: only HTTP/1 connections can be dropped"}`)})
	}
	c.settle(delivery{}) // before the client can notice
	if tcp, ok := transport(conn).(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset in place of an orderly end
		_ = tcp.Close()      // below TLS, whose own end would be an orderly one
	}
	_ = conn.Close()
	return delivery{}
}

func transport(conn net.Conn) net.Conn {
	if secure, ok := conn.(*tls.Conn); ok {
		return secure.NetConn()
	}
	return conn
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
