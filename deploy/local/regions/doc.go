// Package regions holds the tests of an organization that works in two regions: real
// agents of two gateways, whose policies the real control plane compiles.
package regions
