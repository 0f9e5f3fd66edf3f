// SPDX-License-Identifier: Apache-2.0
// Renode's UARTE of the nRF52840, mended for bytes that come from another thread while the image runs. Renode 1.16.1
// takes a byte that comes between EVENTS_ENDRX = 0 and TASKS_STARTRX for one of the transfer that has ended: it is
// written behind the transfer's memory, over what lies there. And a byte that comes during TASKS_STARTRX may stop
// Renode for good, since the two threads take the same two locks in another order.
// On the chip such a byte waits in the receiver until the next start: product specification v1.7, 6.34.
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Peripherals.UART
{
    public class Uarte : NRF52840_UART, IDoubleWordPeripheral
    {
        public Uarte(IMachine machine) : base(machine, true)
        {
        }

        public override void Reset()
        {
            base.Reset();
            ended = false;
        }

        public new uint ReadDoubleWord(long offset)
        {
            lock(innerLock)
            {
                return base.ReadDoubleWord(offset);
            }
        }

        public new void WriteDoubleWord(long offset, uint value)
        {
            lock(innerLock)
            {
                switch(offset)
                {
                case StartReceive:
                    ended = false;
                    break;
                case EndReceive:
                    ended = base.ReadDoubleWord(EndReceive) != 0 || ended;
                    break;
                }
                base.WriteDoubleWord(offset, value);
            }
        }

        protected override void CharWritten()
        {
            lock(innerLock)
            {
                if(!ended)
                {
                    base.CharWritten();
                }
            }
        }

        private bool ended; // the transfer has, and none was started since; it waits in the queue

        private const long StartReceive = 0x000;
        private const long EndReceive = 0x110;
    }
}
