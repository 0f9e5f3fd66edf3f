*** Settings ***
Documentation     The keywords of Renode that our suites use, with QEMU behind them.
Library           Process
Library           OperatingSystem

*** Variables ***
${PORT}           0
${PORT_NUMBER}    0

*** Keywords ***
Setup
    Set Environment Variable    SET_UP    yes

Teardown
    Terminate All Processes    kill=True
    Remove Environment Variable    SET_UP

Reset Emulation
    Environment Variable Should Be Set    SET_UP
    Terminate All Processes    kill=True

Execute Command
    [Arguments]    ${command}
    IF    "CreateServerSocketTerminal" in $command
        Set Suite Variable    ${PORT}    ${{ $command.split()[2] }}
    ELSE IF    $command.startswith("$image=@")
        Set Suite Variable    ${ELF}    ${{ $command.partition("@")[2] }}
    ELSE IF    $command == "start"
        Start Process    qemu-system-arm    -M    mps2-an386    -display    none    -monitor    none
        ...    -kernel    ${ELF}    -serial    tcp:127.0.0.1:${PORT},server\=on,wait\=on
    ELSE
        Should Contain Any    ${command}    connector Connect sysbus.uart0 line    SetAdvanceImmediately
    END

Execute Script
    [Arguments]    ${script}
    File Should Exist    ${script}
