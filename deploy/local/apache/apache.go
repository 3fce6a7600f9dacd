// Package apache starts Apache Kafka, the real one, for tests: one broker or several, in KRaft mode, on loopback. It
// knows nothing of Weir.
package apache

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/deploy/local/engine"
	"github.com/weirhq/weir/deploy/local/fetch"
)

// Config describes a cluster.
type Config struct {
	Kafka fetch.ApacheKafka
	// Dir is made when missing; what is in it survives restarts.
	Dir string
	// Nodes are its brokers; 0: one. The first is the only controller, too.
	Nodes int
	// Port of the first broker's listener Open; 0: any free one.
	Port int
	// Topics are there, with a leader for each partition, as soon as a broker answers.
	Topics []engine.Topic
	// Users have a password each, for every mechanism. They may do nothing until Allow says so.
	Users map[string]string
	// Settings of server.properties come after ours.
	Settings map[string]string
}

// Cluster is one that can be started. Every broker has four listeners; addresses are host:port, separated by commas.
type Cluster struct {
	Nodes []*Node
	// Open takes anybody for the superuser, in plain text.
	Open string
	// SASL wants a password of a user, in plain text; SASLTLS within TLS.
	SASL, SASLTLS string
	// TLS wants a certificate of a client: its common name is the user.
	TLS string
	// CA is the file of the authority that signed the brokers' certificates.
	CA string

	config    Config
	authority *authority
}

// A listener's place in the ports of a node.
const (
	open = iota
	sasl
	saslTLS
	mutualTLS
	controller
	listeners
)

// Start starts a cluster and waits until every broker answers. The caller kills it, after an error too.
func Start(ctx context.Context, c Config) (*Cluster, error) {
	out, err := Prepare(c)
	if err != nil {
		return out, err
	}
	group, first := errgroup.WithContext(ctx)
	for _, n := range out.Nodes {
		group.Go(func() error { return n.Start(first) })
	}
	if err := group.Wait(); err != nil {
		return out, err
	}
	return out, out.addUsers(ctx, c.Users)
}

// Prepare makes the folder and says how to start each node. Users have no passwords for SCRAM then: those are in the
// cluster's data, which Start writes.
func Prepare(c Config) (*Cluster, error) {
	dir, err := filepath.Abs(c.Dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return &Cluster{}, fmt.Errorf("kafka folder: %w", err)
	}
	c.Dir, c.Nodes = dir, max(1, c.Nodes)
	ports, err := engine.FreePorts(c.Nodes * listeners)
	if err != nil {
		return &Cluster{}, err
	}
	if c.Port != 0 {
		ports[open] = c.Port
	}
	out := &Cluster{CA: filepath.Join(dir, "ca.pem"), config: c}
	if out.authority, err = newAuthority(out.CA); err != nil {
		return out, err
	}
	addresses := [listeners][]string{}
	for i := range c.Nodes {
		n := &Node{id: i + 1, dir: filepath.Join(dir, "node"+strconv.Itoa(i+1)), ports: ports[i*listeners : (i+1)*listeners]}
		for which, port := range n.ports {
			addresses[which] = append(addresses[which], loopback(port))
		}
		if err := n.prepare(c, ports[controller], out.authority); err != nil {
			return out, err
		}
		out.Nodes = append(out.Nodes, n)
	}
	all := func(which int) string { return strings.Join(addresses[which], ",") }
	out.Open, out.SASL, out.SASLTLS, out.TLS = all(open), all(sasl), all(saslTLS), all(mutualTLS)
	return out, nil
}

// Kill ends every node at once.
func (c *Cluster) Kill() {
	for _, n := range c.Nodes {
		n.Kill()
	}
}

// ClientCertificate writes a certificate of a user, for the listener TLS, and its key into one file.
func (c *Cluster) ClientCertificate(user string) (path string, err error) {
	path = filepath.Join(c.config.Dir, user+".pem")
	return path, c.authority.sign(user, path)
}

func loopback(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }
