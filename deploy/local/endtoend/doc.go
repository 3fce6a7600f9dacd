// Package endtoend holds the test of the main job: everything that `make run`
// starts, used as a newcomer, an application and an admin would.
package endtoend
