*** Settings ***
Documentation     The keywords of Renode that our suites use, with QEMU behind them.
Library           Process
Library           OperatingSystem

*** Variables ***
${PORT}           0

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
    IF    "${command}".startswith("$line_port=")
        Set Suite Variable    ${PORT}    ${{ "${command}".partition("=")[2] }}
    ELSE IF    "${command}" == "start"
        Start Process    qemu-system-arm    -M    mps2-an386    -display    none    -monitor    none
        ...    -kernel    ${ELF}    -serial    tcp:127.0.0.1:${PORT},server\=on,wait\=on
    ELSE
        Fail    Unknown command: ${command}
    END

Execute Script
    [Arguments]    ${script}
    ${text} =    Get File    ${script}
    Should Contain    ${text}    connector Connect sysbus.uart0 line
    Set Suite Variable    ${ELF}    ${{ [x.partition("@")[2] for x in $text.splitlines() if "?= @" in x][0] }}
