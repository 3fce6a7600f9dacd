//go:build !linux

package proxy

func limitUnsent(int, int) {}
