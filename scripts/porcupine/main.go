// Porcupine on the histories that scripts/lin_porcupine.py writes: one register, reads, writes and
// compare-and-set. Prints a line for each file: the verdict, and seconds of processor time.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/anishathalye/porcupine"
)

type call struct {
	kind     byte // r, w, c
	value    int  // written; expected by c
	next     int  // written by c
	returned int  // read; 1 if c took place
}

var register = porcupine.Model{
	Init: func() interface{} { return 0 },
	Step: func(state, input, output interface{}) (bool, interface{}) {
		c := input.(call)
		now := state.(int)
		switch c.kind {
		case 'w':
			return true, c.value
		case 'r':
			return c.returned == now, now
		}
		if now == c.value {
			return c.returned == 1, c.next
		}
		return c.returned == 0, now
	},
}

func processor() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	user, system := usage.Utime, usage.Stime
	return float64(user.Sec+system.Sec) + float64(user.Usec+system.Usec)*1e-6
}

// Lines: process invoked responded kind value next returned.
func read(path string) []porcupine.Operation {
	file, err := os.Open(path)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	var operations []porcupine.Operation
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var client, value, next, returned int
		var begin, end int64
		var kind string
		if _, err := fmt.Sscan(lines.Text(), &client, &begin, &end, &kind, &value, &next, &returned); err != nil {
			panic(err)
		}
		input := call{kind[0], value, next, returned}
		operations = append(operations, porcupine.Operation{
			ClientId: client, Input: input, Call: begin, Output: returned, Return: end})
	}
	return operations
}

func main() {
	limit, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, path := range os.Args[2:] {
		operations := read(path)
		begin := processor()
		result := porcupine.CheckOperationsTimeout(register, operations, time.Duration(limit)*time.Second)
		fmt.Println(result, processor()-begin)
	}
}
