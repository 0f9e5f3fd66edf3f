// SPDX-License-Identifier: Apache-2.0
//
// USART0 of the EFR32MG24 as an I2S master, with the ICS-43434 microphones of the BRD2601B on its pins.
// Renode's own USART0 has no I2S. Registers: EFR32xG24 reference manual, chapter USART.
//
// The left words are the samples of a file, the right ones silence, so that whoever takes one channel for the other
// hears nothing. Nothing comes unless all is as the chip and the microphone need it: clocks out, receiver on, frames
// of 64 clocks, the microphone powered. Where the clocks stop in the middle of a frame it goes on there when they
// start again; only EN = 0 begins a new one.
//
using System;
using System.Collections.Generic;
using System.IO;

using Antmicro.Renode.Core;
using Antmicro.Renode.Exceptions;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Timers;
using Antmicro.Renode.Time;
using Antmicro.Renode.Utilities;

namespace Antmicro.Renode.Peripherals.Sound
{
    [AllowedTranslations(AllowedTranslation.ByteToDoubleWord | AllowedTranslation.WordToDoubleWord)]
    public class UsartI2sMicrophone : IDoubleWordPeripheral, IKnownSize, IGPIOReceiver
    {
        // clockFrequency: of the peripheral, in Hz. The board's DPLL and PCLK prescaler make 36.864 MHz.
        public UsartI2sMicrophone(IMachine machine, ulong clockFrequency)
        {
            this.clockFrequency = clockFrequency;
            RxDataAvailableRequest = new GPIO();
            RxDataAvailableRightRequest = new GPIO();
            words = new LimitTimer(machine.ClockSource, clockFrequency, this, "words", 1,
                direction: Direction.Ascending, enabled: false, workMode: WorkMode.Periodic,
                eventEnabled: true, autoUpdate: true);
            words.LimitReached += Word;
            samples = new short[0];
            Reset();
        }

        public void Reset()
        {
            registers.Clear();
            received.Clear();
            receiving = false;
            transmitting = false;
            master = false;
            overflows = 0;
            position = 0;
            right = false;
            words.Enabled = false;
            words.Value = 0;
            UpdateRequests();
        }

        // Raw int16 little-endian mono samples; plays from the first frame on, then silence.
        public void SetInputFile(ReadFilePath fileName)
        {
            var bytes = File.ReadAllBytes(fileName);
            if(bytes.Length % 2 != 0)
            {
                throw new RecoverableException("the file holds half a sample at its end");
            }
            samples = new short[bytes.Length / 2];
            Buffer.BlockCopy(bytes, 0, samples, 0, bytes.Length);
            position = 0;
        }

        // The microphones' supply.
        public void OnGPIO(int number, bool value)
        {
            powered = value;
        }

        public uint ReadDoubleWord(long offset)
        {
            switch((Registers)(offset & 0xFFF))
            {
            case Registers.Status:
                return Status;
            case Registers.RxData:
            case Registers.RxDouble:
                return Take();
            default:
                return Stored(offset & 0xFFF);
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            var register = offset & 0xFFF;
            switch(offset >> 12)
            {
            case 1:
                value = Stored(register) | value;
                break;
            case 2:
                value = Stored(register) & ~value;
                break;
            case 3:
                value = Stored(register) ^ value;
                break;
            }
            if((Registers)register == Registers.Command)
            {
                Command(value);
            }
            else if((Registers)register == Registers.Enable)
            {
                Enable(value);
            }
            else
            {
                registers[register] = value;
            }
            UpdateClock();
            UpdateRequests();
        }

        public GPIO RxDataAvailableRequest { get; }

        public GPIO RxDataAvailableRightRequest { get; }

        public long Size => 0x4000;

        // Frames a second; 0 while no clock goes out.
        public ulong SampleRate { get; private set; }

        // Words that found both places of the receive buffer taken.
        public ulong Overflows => overflows;

        private void Command(uint value)
        {
            if((Stored((long)Registers.Enable) & 1) == 0)
            {
                this.Log(LogLevel.Error, "a command (0x{0:X}) while EN is 0 has no effect", value);
                return;
            }
            receiving = (receiving || Bit(value, 0)) && !Bit(value, 1);
            transmitting = (transmitting || Bit(value, 2)) && !Bit(value, 3);
            master = (master || Bit(value, 4)) && !Bit(value, 5);
            if(Bit(value, 11))
            {
                received.Clear();
            }
        }

        // Off, the block forgets what it did, the place in the frame too; its configuration stays.
        private void Enable(uint value)
        {
            registers[(long)Registers.Enable] = value;
            if(Bit(value, 0))
            {
                return;
            }
            receiving = false;
            transmitting = false;
            master = false;
            received.Clear();
            right = false;
            words.Enabled = false;
            words.Value = 0;
        }

        private void UpdateClock()
        {
            var control = Stored((long)Registers.Control);
            var i2s = Stored((long)Registers.I2sControl);
            var clocks = Bit(Stored((long)Registers.Enable), 0) && Bit(control, 0) && Bit(i2s, 0) && master
                && receiving && (transmitting || Bit(control, 29));
            if(!clocks)
            {
                words.Enabled = false;
                SampleRate = 0;
                return;
            }
            // fSCK = fPCLK / (2 * (1 + CLKDIV / 256)); CLKDIV has its point at bit 8.
            var divider = 512 + 2UL * (Stored((long)Registers.ClockDivider) & 0x7FFFF8);
            var format = (i2s >> 8) & 7;
            var clocksAFrame = format <= 3 ? 64UL : format <= 5 ? 32UL : 16UL; // W32D32 .. W32D16, W16D16, W16D8, W8D8
            if(clocksAFrame != 64)
            {
                this.Log(LogLevel.Error, "an ICS-43434 needs frames of 64 clocks; I2SCTRL gives {0}", clocksAFrame);
            }
            SampleRate = clockFrequency * 256 / (divider * clocksAFrame);
            var limit = divider * clocksAFrame / 512;
            if(words.Limit != limit)
            {
                words.Limit = limit;
                words.Value = 0;
            }
            words.Enabled = true;
        }

        private void Word()
        {
            short sample = 0;
            if(!right)
            {
                if(powered && position < samples.Length)
                {
                    sample = samples[position];
                }
                position++;
            }
            Receive(sample);
            right = !right;
        }

        private void Receive(short sample)
        {
            if(received.Count == BufferSize)
            {
                overflows++;
                return;
            }
            received.Enqueue(new ReceivedWord { Value = (ushort)sample, Right = right });
            UpdateRequests();
        }

        private uint Take()
        {
            if(received.Count == 0)
            {
                this.Log(LogLevel.Warning, "a read of an empty receive buffer");
                return 0;
            }
            var word = received.Dequeue();
            UpdateRequests();
            return word.Value;
        }

        private void UpdateRequests()
        {
            var split = Bit(Stored((long)Registers.I2sControl), 3);
            var any = received.Count > 0;
            var rightWaits = any && split && received.Peek().Right;
            RxDataAvailableRequest.Set(any && !rightWaits);
            RxDataAvailableRightRequest.Set(rightWaits);
        }

        private uint Status
        {
            get
            {
                var status = 0x40u; // TXBL: the transmit buffer is empty
                status |= receiving ? 1u : 0;
                status |= transmitting ? 2u : 0;
                status |= master ? 4u : 0;
                status |= RxDataAvailableRequest.IsSet ? 0x80u : 0;
                status |= received.Count == BufferSize ? 0x100u : 0;
                status |= RxDataAvailableRightRequest.IsSet ? 0x800u : 0;
                return status;
            }
        }

        private uint Stored(long register)
        {
            uint value;
            return registers.TryGetValue(register, out value) ? value : 0;
        }

        private static bool Bit(uint value, int number)
        {
            return ((value >> number) & 1) != 0;
        }

        private bool powered;
        private bool right; // the word that comes next
        private bool receiving;
        private bool transmitting;
        private bool master;
        private ulong overflows;
        private long position;
        private short[] samples;

        private readonly ulong clockFrequency;
        private readonly LimitTimer words;
        private readonly Dictionary<long, uint> registers = new Dictionary<long, uint>();
        private readonly Queue<ReceivedWord> received = new Queue<ReceivedWord>();

        private const int BufferSize = 2;

        private struct ReceivedWord
        {
            public ushort Value;
            public bool Right;
        }

        private enum Registers : long
        {
            Enable = 0x04,
            Control = 0x08,
            Command = 0x14,
            Status = 0x18,
            ClockDivider = 0x1C,
            RxData = 0x24,
            RxDouble = 0x2C,
            I2sControl = 0x54,
        }
    }
}
